"""Tenants: merchants, their two environments, and the credentials that speak for them."""

from schemas.tenants import Environment

__all__ = ["Environment"]
