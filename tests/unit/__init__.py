"""Rules and pure functions, one at a time."""
