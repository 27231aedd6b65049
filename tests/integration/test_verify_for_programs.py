"""`ledger verify --format json`: one object with every check."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest

from schemas.commands import CreateWallet, CreditWallet
from services.verify.main import run
from services.verify.report import VerifyResult
from tests.specs.verified_ledger import VerifiedLedger, verified_ledger
from tests.unit.test_docs import ROOT, rows


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[VerifiedLedger]:
    async with verified_ledger(database) as ledger:
        wallet = await ledger.open(CreateWallet(customer_id="ama", currency="GHS"))
        for number in range(40):
            await ledger.change(CreditWallet(wallet_id=wallet, amount=10, reference=f"{number}"))
        await ledger.project()
        yield ledger


async def test_the_json_says_what_the_table_says(
    ledger: VerifiedLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every check, whether it held, how often, and how long all of it took."""
    assert await run(ledger.settings, None, kafka=False, form="json") == 0
    sound = msgspec.json.decode(capsys.readouterr().out, type=VerifyResult, strict=True)
    await ledger.tamper("DELETE FROM events WHERE position = 20")

    assert await run(ledger.settings, None, kafka=False, form="json") == 1

    tampered = msgspec.json.decode(capsys.readouterr().out, type=VerifyResult, strict=True)
    assert (sound.status, tampered.status) == ("held", "failed")
    before = {check.name: check for check in sound.checks}
    after = {check.name: check for check in tampered.checks}
    assert before.keys() == after.keys() == _explained()
    assert sound.position > 40
    assert before["positions are gapless"].held == sound.position
    assert sound.started_at < tampered.started_at <= datetime.now(UTC)
    assert sound.duration_ms > 0
    assert {check.status for check in sound.checks} == {"held", "not_checked"}
    skipped = before["messages equal the log's events"]
    assert (skipped.status, skipped.reason) == ("not_checked", "not asked for")
    missing = after["positions are gapless"]
    assert (missing.status, missing.failed) == ("failed", len(missing.examples))


def _explained() -> set[str]:
    """The names of the checks, by the page about them."""
    page = (ROOT / "docs" / "how-to" / "verify-the-ledger.md").read_text(encoding="utf-8")
    return {row[0] for row in rows(page.partition("\n## ")[0])}
