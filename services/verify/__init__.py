"""Verify: checks the invariants of a live system, page by page."""
