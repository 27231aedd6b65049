"""The second dialect, the BaaS API: what it reads and writes that the first one does not."""
