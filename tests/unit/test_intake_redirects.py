"""Given commands of tenants with their rules, then which redirects the intake refuses."""

from aiokafka import TopicPartition

from ledger.command_handling.submission import Submission
from schemas.commands import CancelTopup, CreateTopup
from services.intake.batch import Batch, ReadCommand
from services.intake.results import Place
from services.intake.tenants import RedirectRule

TENANT = "0197f3c2-5a10-7c44-9d0e-6f2b8a1c3e57"
OTHER = "0197f3c2-5a10-7c44-9d0e-6f2b8a1c3e58"
SHOP = "https://shop.example.com/thanks"
PLAIN = "http://shop.example.com/thanks"


def _asked(tenant_id: str, redirect_url: str, cancel_url: str | None = None) -> ReadCommand:
    command = CreateTopup(
        wallet_id="wal_" + "0a" * 16, amount=5, redirect_url=redirect_url, cancel_url=cancel_url
    )
    return ReadCommand(_submission(tenant_id, command), Place("commands", 0, 0), b"{}")


def _submission(tenant_id: str, command: CreateTopup | CancelTopup) -> Submission:
    return Submission(
        tenant_id=tenant_id,
        command=command,
        command_id="cmd-1",
        who="kafka:/billing",
        correlation_id=None,
    )


def _batch(*commands: ReadCommand) -> Batch:
    return Batch(
        generation=1,
        read_at=0.0,
        offsets={TopicPartition("commands", 0): 1},
        commands=list(commands),
        refused=[],
        settled=[],
    )


RULES = {
    TENANT: RedirectRule("live", frozenset({"https://shop.example.com"})),
    OTHER: RedirectRule("sandbox", frozenset()),
}


def test_each_tenants_commands_keep_to_its_own_rule() -> None:
    allowed = [_asked(TENANT, SHOP), _asked(TENANT, SHOP, SHOP), _asked(OTHER, PLAIN)]
    batch = _batch(
        *allowed,
        _asked(TENANT, PLAIN),
        _asked(TENANT, "https://evil.example/", SHOP + "/a b"),
        _asked(OTHER, "https://user@shop.example.com/"),
        _asked(OTHER, "https://shop.example.com/\x00"),
    )
    batch.refuse_redirects(RULES)
    assert batch.commands == allowed
    assert {each.refusal.reason for each in batch.refused} == {"invalid_command"}
    details = [each.refusal.detail for each in batch.refused]
    assert details[0] == "redirect_url: must be an https URL"
    assert details[1].startswith("redirect_url: must be of an origin on the merchant's list; ")
    assert "; cancel_url: must be" in details[1]
    assert all("example" not in detail for detail in details), "nothing is repeated"


def test_only_what_redirects_asks_for_a_rule() -> None:
    cancel = _submission(TENANT, CancelTopup(topup_id="top_" + "0e" * 16))
    batch = _batch(ReadCommand(cancel, Place("commands", 0, 0), b"{}"), _asked(OTHER, SHOP))
    assert batch.redirecting_tenants() == {OTHER}
