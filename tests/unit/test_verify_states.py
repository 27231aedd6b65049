"""The states that `verify` keeps are the same whether in memory or in the file."""

import pytest

from schemas.identifiers import StreamKey
from services.verify import wallet_states
from services.verify.wallet_states import WalletState, WalletStates
from tests.specs.decider import OPENED, WALLET_ID, Given
from tests.specs.wallet_commands import topup

WALLETS = [StreamKey("tenant", f"wal_{number}") for number in range(7)]


def state(version: int) -> WalletState:
    return WalletState(version=version, hash=bytes([version]), view=None)


def test_what_was_written_out_is_found_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallet_states, "_PLACES_IN_MEMORY", 3)
    states = WalletStates()
    for version in (1, 2):
        for wallet in WALLETS:
            states.put({wallet: state(version)})
            assert states.get(wallet) == state(version)
    states.put({WALLETS[0]: state(3)})
    expected = {wallet: state(2) for wallet in WALLETS} | {WALLETS[0]: state(3)}
    assert {wallet: states.get(wallet) for wallet in WALLETS} == expected
    pages = list(states.pages(2))
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert dict(entry for page in pages for entry in page) == expected
    assert states.get(StreamKey("tenant", "wal_none")) is None
    states.close()


def test_a_wallet_with_much_in_it_takes_the_room_of_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its eighty top-ups it takes eleven places; so the first three are written out."""
    monkeypatch.setattr(wallet_states, "_PLACES_IN_MEMORY", 40)
    given = Given(OPENED, *[topup(1, reference=f"t{number}") for number in range(80)])
    large = WalletState(version=81, hash=b"", view=None, wallet=given.wallets[WALLET_ID])
    states = WalletStates()
    for wallet in WALLETS[:3]:
        states.put({wallet: large})
    assert list(states._in_memory) == WALLETS[:3]
    states.put({WALLETS[3]: large})
    assert list(states._in_memory) == WALLETS[3:4]
    assert [states.get(wallet) for wallet in WALLETS[:4]] == [large] * 4
    for wallet in WALLETS:
        states.put({wallet: state(1)})
    assert list(states._in_memory) == WALLETS, "what shrinks makes room"
    assert dict(entry for page in states.pages(9) for entry in page) == dict.fromkeys(
        WALLETS, state(1)
    )
    states.close()
