"""How well a customer is known: the read model's row shows what the wallet's state does."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.command_handling.views import wallet_view
from ledger.domain.wallet import Wallet
from projections.balances.evolve import evolve
from projections.events import ProjectedEvent, ProjectionMismatchError
from schemas.commands import Command
from schemas.events import CustomerErased, WalletEvent, WalletOpened, encode_event, type_of
from schemas.identifiers import StreamKey
from schemas.results import WalletView
from tests.specs.decider import START, WALLET_ID
from tests.specs.known_customers import (
    KNOWN,
    SEALED,
    UNDER_REVIEW,
    GivenKnown,
    erase,
    raise_tier,
    review,
)
from tests.specs.wallet_commands import CLOSE, UNFREEZE, credit, debit, freeze

TENANT = str(UUID(int=7))
STEPS: list[Command] = [
    raise_tier("TIER_TWO"),
    raise_tier("TIER_THREE"),
    review("approved"),
    review("rejected"),
    freeze("debits"),
    freeze("credits"),
    UNFREEZE,
    erase(),
    credit(5),
    debit(3),
    CLOSE,
]


def projected(event: WalletEvent, version: int) -> ProjectedEvent:
    return ProjectedEvent(
        position=version,
        wallet=StreamKey(TENANT, WALLET_ID),
        version=version,
        event_id=str(UUID(int=version)),
        type=type_of(event),
        schema_version=1,
        data=encode_event(event),
        recorded_at=START,
    )


class Told:
    """A wallet and its row, side by side."""

    def __init__(self, opened: WalletOpened) -> None:
        self.given = GivenKnown(opened)
        self.view: WalletView = evolve(None, projected(opened, 1))

    @property
    def wallet(self) -> Wallet:
        """The wallet's state."""
        return self.given.wallets[WALLET_ID]

    def when(self, command: Command) -> None:
        """Decide, and tell both of the events."""
        for event in self.given.when(command).decision.events:
            self.view = evolve(self.view, projected(event, self.view.version + 1))


@given(opened=st.sampled_from([KNOWN, UNDER_REVIEW]), steps=st.lists(st.sampled_from(STEPS)))
@settings(max_examples=200, deadline=timedelta(seconds=5))
def test_the_row_shows_what_the_wallet_shows(opened: WalletOpened, steps: list[Command]) -> None:
    told = Told(opened)
    for step in steps:
        told.when(step)
        assert replace(told.view, identity=None) == wallet_view(told.wallet)


def test_the_row_keeps_the_sealed_identity_until_the_customer_is_erased() -> None:
    told = Told(KNOWN)
    assert told.view.identity == SEALED
    told.when(raise_tier("TIER_TWO"))
    assert told.view.identity == "YmV0dGVy"
    told.when(erase())
    erased = told.view
    assert erased.is_erased
    assert erased.identity is None


def test_a_review_that_the_row_does_not_wait_for_is_a_mismatch() -> None:
    told = Told(UNDER_REVIEW)
    (reviewed,) = told.given.when(review()).decision.events
    with pytest.raises(ProjectionMismatchError, match="the row's review is None"):
        evolve(Told(KNOWN).view, projected(reviewed, 2))


def test_an_erasure_of_a_row_that_is_behind_is_a_mismatch() -> None:
    erased = CustomerErased(user_id=KNOWN.user_id)
    with pytest.raises(ProjectionMismatchError, match="it follows"):
        evolve(Told(KNOWN).view, projected(erased, 3))
