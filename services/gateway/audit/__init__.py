"""The audit log over HTTP: what administrators did to the caller's tenant."""
