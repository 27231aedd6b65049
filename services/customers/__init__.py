"""Customers, for whoever runs the ledger: erasing them, and settling their reviews."""
