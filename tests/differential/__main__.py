"""python -m tests.differential"""

import sys

from tests.differential.harness import main

if __name__ == "__main__":
    sys.exit(main())
