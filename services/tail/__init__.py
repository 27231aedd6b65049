"""`ledger tail`: the log's events as they come, for a person to read."""
