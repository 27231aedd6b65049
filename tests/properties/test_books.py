"""The books are balanced after every event of random histories, and agree with the wallets."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from projections.balances.evolve import evolve
from projections.trial_balance.evolve import entry_of
from projections.trial_balance.projection import added_up
from schemas.results import WalletView
from tests.specs.event_factory import EventFactory, projected

CURRENCIES = ("GHS", "NGN", "JPY")


def _history(seed: int, wallet_count: int, event_count: int) -> EventFactory:
    factory = EventFactory(seed)
    for currency in CURRENCIES:
        wallet = factory.open(currency=currency)
        factory.credit(wallet, 1_000 + seed)
    factory.history(wallet_count, event_count)
    return factory


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(10, 120))
def test_the_trial_balance_is_zero_after_every_event(
    seed: int, wallet_count: int, event_count: int
) -> None:
    accounts: Counter[tuple[str, str]] = Counter()
    wallets: dict[str, WalletView] = {}
    for event in map(projected, _history(seed, wallet_count, event_count).take()):
        entry = entry_of(event)
        if entry is not None:
            assert entry.amount > 0
            assert entry.debit != entry.credit
            accounts[entry.debit, entry.currency] += entry.amount
            accounts[entry.credit, entry.currency] -= entry.amount
        name = event.wallet.stream_id
        wallets[name] = evolve(wallets.get(name), event)
        for currency in CURRENCIES:
            booked = sum(
                balance
                for (_, its_currency), balance in accounts.items()
                if its_currency == currency
            )
            held = sum(view.balance for view in wallets.values() if view.currency == currency)
            assert booked == 0, f"after position {event.position}"
            assert -accounts["customer_wallet", currency] == held


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_every_part_of_a_history_balances_too(seed: int, choice: Random) -> None:
    """What is booked so far is such a part, wherever Kafka's partitions have come to."""
    events = [projected(event) for event in _history(seed, 4, 80).take()]
    part = choice.sample(events, choice.randint(0, len(events)))
    entries = [(event, entry) for event in part if (entry := entry_of(event)) is not None]
    differences: Counter[tuple[str, int]] = Counter()
    for (_, _, currency, block), (debits, credited, _) in added_up(entries).items():
        differences[currency, block] += debits - credited
    assert set(differences.values()) <= {0}
