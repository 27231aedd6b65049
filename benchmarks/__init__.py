"""The bench: the ledger's pace on this machine, on a stack of its own. `./dev bench`."""
