"""Processes are killed and stopped in the middle of work."""
