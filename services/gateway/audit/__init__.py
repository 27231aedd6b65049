"""The log over HTTP: what administrators did to a tenant, and what happened to a wallet."""
