"""Text to libcst tree, positions on demand."""
