"""The rules about money: pure functions. No I/O, no clock, no randomness."""
