"""``python -m lstm_lint``."""

from lstm_lint.cli import main

if __name__ == "__main__":
    main()
