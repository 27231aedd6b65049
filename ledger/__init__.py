"""The write side: decides commands and appends their outcomes to one log."""
