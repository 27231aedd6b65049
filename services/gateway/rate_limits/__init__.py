"""Rate limits: how much each credential may ask for, shared by all gateways."""
