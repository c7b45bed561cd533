"""The op table against torch: values from tensors, and a strategy of arguments for every row."""
