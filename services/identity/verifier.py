"""The port to those who know whose a BVN or a NIN is."""

from typing import Protocol

from msgspec import Struct

from schemas.tiers import Tier
from services.identity.person import Identity


class Verified(Struct, frozen=True):
    """The number is the person's."""


class Unknown(Struct, frozen=True):
    """Nobody has this number."""


class BelongsToAnother(Struct, frozen=True):
    """The number is somebody else's."""


Verification = Verified | Unknown | BelongsToAnother


class VerifierUnavailableError(Exception):
    """The provider could not be asked, or did not answer. Carries nothing that was asked."""


class IdentityVerifier(Protocol):
    """Asks a provider about a number of eleven digits. Writes nothing; may be asked again.

    Both raise `VerifierUnavailableError`, and no other error of the provider's.
    """

    async def verify_bvn(self, bvn: str, person: Identity, *, tier: Tier) -> Verification:
        """Whether the BVN is this person's, who is to be known at `tier`."""
        ...

    async def verify_nin(self, nin: str, person: Identity, *, tier: Tier) -> Verification:
        """Whether the NIN is this person's, who is to be known at `tier`."""
        ...
