"""Tenants: merchants, their two environments, and the credentials that speak for them."""

from typing import Literal

Environment = Literal["live", "sandbox"]
