"""The sandbox's verifier: every number is the person's, but for some that play a part.

The numbers are public (docs/reference/sandbox-test-numbers.md) and end in the status that
the call is answered with.
"""

from enum import Enum
from typing import Final, assert_never

from schemas.tiers import Tier
from services.identity.person import Identity
from services.identity.verifier import (
    BelongsToAnother,
    Unknown,
    Verification,
    Verified,
    VerifierUnavailableError,
)


class Part(Enum):
    """What a test number plays; the value is how it is told in the reference."""

    VERIFIED = "verified"
    UNKNOWN = "unknown"
    BELONGS_TO_ANOTHER = "belongs to another person"
    PROVIDER_DOWN = "the provider does not answer"


BVN_PARTS: Final = {
    "22200000201": Part.VERIFIED,
    "22200000404": Part.UNKNOWN,
    "22200000409": Part.BELONGS_TO_ANOTHER,
    "22200000503": Part.PROVIDER_DOWN,
}
NIN_PARTS: Final = {
    "70000000201": Part.VERIFIED,
    "70000000404": Part.UNKNOWN,
    "70000000409": Part.BELONGS_TO_ANOTHER,
    "70000000503": Part.PROVIDER_DOWN,
}
TIER_THREE_ONLY: Final = "0" * 11
"""BVN and NIN of the original's tier-three example: verified there, unknown elsewhere."""


class SandboxVerifier:
    """An `IdentityVerifier` that asks nobody."""

    async def verify_bvn(self, bvn: str, person: Identity, *, tier: Tier) -> Verification:
        """Verified, unless the BVN plays another part."""
        return _played(bvn, BVN_PARTS, tier)

    async def verify_nin(self, nin: str, person: Identity, *, tier: Tier) -> Verification:
        """Verified, unless the NIN plays another part."""
        return _played(nin, NIN_PARTS, tier)


def _played(number: str, parts: dict[str, Part], tier: Tier) -> Verification:
    if number == TIER_THREE_ONLY and tier != "TIER_THREE":
        return Unknown()
    part = parts.get(number, Part.VERIFIED)
    match part:
        case Part.VERIFIED:
            return Verified()
        case Part.UNKNOWN:
            return Unknown()
        case Part.BELONGS_TO_ANOTHER:
            return BelongsToAnother()
        case Part.PROVIDER_DOWN:
            raise VerifierUnavailableError("the sandbox's provider plays dead")
        case _:
            assert_never(part)
