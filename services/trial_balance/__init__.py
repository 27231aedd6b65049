"""`ledger trial-balance`: the accounts of one tenant or of all, and what they add up to."""
