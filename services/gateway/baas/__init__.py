"""The second dialect, contract B: what it reads and writes that the first one does not."""
