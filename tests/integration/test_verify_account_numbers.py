"""`ledger verify` names account numbers and identity indexes that are not what the log says."""

from collections.abc import AsyncIterator, Iterator

import pytest

from schemas.commands import CloseWallet
from tests.specs.databases import Databases, Prepared
from tests.specs.known_customers import enroll, erase, raise_tier, review
from tests.specs.verified_ledger import Before, VerifiedLedger, past, verified_ledger
from tests.specs.world import OTHER_TENANT

SOUND = "account numbers are those of their serials"
GAPLESS = "serials of each tenant are gapless"
EQUAL = "account numbers equal the fold of the log"
SHOWN = "balances show the account numbers"
FORGOTTEN = "nobody erased is found by the identity index"
FOUND = "who is enrolled is found by the identity index"
WITH_WALLETS = "customers have wallets"


@pytest.fixture(scope="module")
def prepared(databases: Databases) -> Iterator[Prepared[Before]]:
    with databases.prepare(past(_happen)) as prepared:
        yield prepared


@pytest.fixture
async def bank(databases: Databases, prepared: Prepared[Before]) -> AsyncIterator[VerifiedLedger]:
    """Customers of two tenants: some are reviewed, some closed, some erased, and one is nobody."""
    with databases.clone(prepared.name) as dsn:
        async with verified_ledger(dsn, prepared.known) as bank:
            yield bank


async def _happen(bank: VerifiedLedger) -> None:
    for number in range(1, 4):
        await bank.open(enroll(number, f"person {number}"))
    await bank.open(enroll(1, "ama"), OTHER_TENANT)
    # A tier that was raised keeps its number, one that was enrolled there gets it by the review.
    raised = await bank.open(enroll(4, "raised"))
    await bank.change(raise_tier("TIER_THREE", raised))
    await bank.change(review("approved", raised))
    approved = await bank.open(enroll(5, "approved", "TIER_THREE"))
    await bank.change(review("approved", approved))
    rejected = await bank.open(enroll(6, "rejected", "TIER_THREE"))
    await bank.change(review("rejected", rejected))
    await bank.open(enroll(7, "waiting", "TIER_THREE"))
    erased = await bank.open(enroll(8, "erased"))
    await bank.change(erase(erased))
    await bank.open(enroll(9, "erased"))
    # Whoever closes the wallet and opens another is one customer with two numbers.
    closed = await bank.open(enroll(10, "again"))
    await bank.change(CloseWallet(wallet_id=closed))
    await bank.open(enroll(10, "again"))


async def test_numbers_that_are_right_are_sound(bank: VerifiedLedger) -> None:
    assert await bank.failures() == set()
    assert await bank.connection.fetchval("SELECT count(*) FROM account_numbers") == 10
    indexed = "SELECT count(*) FROM customers WHERE identity_index IS NOT NULL"
    assert await bank.connection.fetchval(indexed) == 10


async def test_a_read_model_that_is_behind_is_sound(bank: VerifiedLedger) -> None:
    """Its numbers are missing, and its customers are not yet shown as erased."""
    await bank.change(erase(await bank.open(enroll(11, "new"))))
    await bank.open(enroll(12, "newer"))
    assert await bank.failures() == set()


TAMPERINGS = [
    (
        """
        UPDATE account_numbers
        SET account_number = left(account_number, 9) || (right(account_number, 1)::int + 1) % 10
        WHERE serial = 2
        """,
        {SOUND, EQUAL, SHOWN},
    ),
    (
        """
        UPDATE account_numbers SET bank_code = '000014', account_number = '0000000018'
        WHERE serial = 1
        """,
        {EQUAL, SHOWN},
    ),
    ("UPDATE account_numbers SET bank_code = 'x' WHERE serial = 3", {SOUND, EQUAL, SHOWN}),
    ("UPDATE account_numbers SET account_number = '' WHERE serial = 3", {SOUND, EQUAL, SHOWN}),
    ("UPDATE account_numbers SET serial = 20 WHERE serial = 4", {SOUND, GAPLESS}),
    ("DELETE FROM account_numbers WHERE serial = 3", {GAPLESS, EQUAL}),
    ("DELETE FROM account_numbers WHERE serial = 0", {GAPLESS, EQUAL}),
    ("DELETE FROM account_numbers WHERE serial = 8", {EQUAL}),
    ("UPDATE account_numbers SET position = position + 1 WHERE serial = 2", {EQUAL}),
    ("UPDATE account_numbers SET position = 1000000 WHERE serial = 2", {EQUAL}),
    (
        """
        UPDATE account_numbers AS a SET wallet_id = other.wallet_id
        FROM account_numbers AS other WHERE a.serial = 2 AND other.serial = 3
        """,
        {EQUAL},
    ),
    (
        """
        INSERT INTO account_numbers
        SELECT tenant_id, 9, bank_code, '0000000099', wallet_id, position
        FROM account_numbers WHERE serial = 8
        """,
        {EQUAL, SHOWN},
    ),
    (
        """
        UPDATE balances SET account_number = NULL, bank_code = NULL
        WHERE wallet_id = (SELECT wallet_id FROM account_numbers WHERE serial = 4)
        """,
        {SHOWN, "balances equal the fold of the log"},
    ),
    (
        "UPDATE customers SET identity_index = sha256('x') WHERE identity_index IS NULL",
        {FORGOTTEN},
    ),
    (
        """
        INSERT INTO customers
        SELECT tenant_id, 'nobody', gen_random_uuid(), sha256('nobody')
        FROM (SELECT DISTINCT tenant_id FROM wallets) AS tenants
        """,
        {FORGOTTEN, WITH_WALLETS},
    ),
    (
        "UPDATE customers SET identity_index = NULL WHERE customer_id LIKE '%000a'",
        {FOUND},
    ),
]


@pytest.mark.parametrize(("tampering", "named"), TAMPERINGS, ids=range(len(TAMPERINGS)))
async def test_what_is_damaged_is_named_and_nothing_else(
    bank: VerifiedLedger, tampering: str, named: set[str]
) -> None:
    await bank.tamper(tampering)
    assert await bank.failures() == named
