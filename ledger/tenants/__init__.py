"""Tenants: merchants, their two environments, and the credentials that speak for them."""
