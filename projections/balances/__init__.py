"""Balances: every wallet as it stands now."""
