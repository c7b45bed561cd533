"""Finds wrong nn.LSTM state shapes in PyTorch code without running it, and has torch confirm them."""

__version__ = "0.1.0"
