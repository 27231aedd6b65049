"""The states that `verify` keeps are the same whether in memory or in the file."""

import pytest

from schemas.identifiers import StreamKey
from services.verify import wallet_states
from services.verify.wallet_states import WalletState, WalletStates

WALLETS = [StreamKey("tenant", f"wal_{number}") for number in range(7)]


def state(version: int) -> WalletState:
    return WalletState(version=version, hash=bytes([version]), view=None)


def test_what_was_written_out_is_found_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallet_states, "_IN_MEMORY", 3)
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
