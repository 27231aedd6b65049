"""A payment provider for sandboxes: its own page, signed callbacks, no real money.

It behaves as real ones do, and knows of the ledger only what its callers tell it.
"""
