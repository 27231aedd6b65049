"""The command line, `ledger`: the door to everything else here; `main` is its list."""
