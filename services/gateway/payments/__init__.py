"""Payments: the port behind which a payment provider stands, and the callbacks that it sends."""
