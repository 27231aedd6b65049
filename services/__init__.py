"""The processes. Each folder is a composition root; they share only `services.runtime`."""
