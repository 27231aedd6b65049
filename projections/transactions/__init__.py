"""Transactions: every movement of money, and every one that was declined."""
