"""All tests. The folders say what a test needs to run."""
