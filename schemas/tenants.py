"""Tenants as messages spell them: merchants, environments, credentials and their scopes."""

from typing import Annotated, Literal

from msgspec import Meta

Environment = Literal["live", "sandbox"]

MerchantId = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="A merchant, who is two tenants: live and sandbox.",
    ),
]
MerchantName = Annotated[
    str, Meta(min_length=1, max_length=255, description="What people call the merchant.")
]
KeyId = Annotated[
    str,
    Meta(pattern="^key_[0-9a-f]{24}$", description="A credential. Its secret is in no message."),
]
ScopeName = Annotated[
    str,
    Meta(
        min_length=1,
        description="Something that a credential may do. New scopes may come.",
        examples=["wallets:read", "wallets:write", "transfers:write", "admin"],
    ),
]
Origin = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        description="Scheme, host and port, in the one spelling that is compared.",
        examples=["https://shop.example.com"],
    ),
]
RateLimitPerS = Annotated[int, Meta(ge=1, description="Units of the rate limit a second.")]
RateLimitBurst = Annotated[
    int, Meta(ge=1, description="Units at once after a pause: a second's worth at least.")
]
AdminReason = Annotated[
    str, Meta(max_length=255, description="The reason, in the operator's words.")
]
