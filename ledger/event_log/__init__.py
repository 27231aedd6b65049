"""The event log: one gapless, append-only, hash-chained log. `interface.py` is the port."""
