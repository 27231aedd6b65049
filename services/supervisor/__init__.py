"""The supervisor: what `ledger up` runs. It starts everything, restarts what dies, stops all.

It changes nothing outside LEDGER_HOME.
"""
