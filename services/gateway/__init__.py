"""The gateway: the one public HTTP door, for queries and for commands."""
