"""Questions: what must be read before a batch can be decided. Pure."""

from collections.abc import Sequence
from datetime import datetime

from ledger.command_handling.originals import Originals
from ledger.command_handling.submission import Submission
from ledger.command_handling.targets import Target, target_of
from ledger.command_handling.wallet_cache import WalletCache
from ledger.event_log.interface import (
    CommandKey,
    CustomerKey,
    EventKey,
    Findings,
    Head,
    IdentityKey,
    PaymentKey,
    Question,
)
from schemas.commands import (
    CaptureHold,
    Command,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    PlaceHold,
    ReverseTransaction,
    ReviewWallet,
    TransferMoney,
)
from schemas.identifiers import StreamKey

LOOKED_UP = Question()
"""What an append has to guard against where everything was looked up before: nothing."""

_OPENING = (CreateWallet, EnrollCustomer)
_NUMBERING = frozenset({EnrollCustomer, ReviewWallet})
_REFERENCED = frozenset(
    {
        DebitWallet,
        CreditWallet,
        PlaceHold,
        CaptureHold,
        TransferMoney,
        ReverseTransaction,
        CreateTopup,
    }
)


def reference_of(command: Command) -> str | None:
    """The reference that the command consumes if it succeeds."""
    # By type, as it is asked with every command: a union would be made anew each time.
    if type(command) not in _REFERENCED:
        return None
    reference: str | None = getattr(command, "reference")  # noqa: B009 - those types have it
    return reference


def question_of(
    submissions: Sequence[Submission], cache: WalletCache, originals: Originals
) -> Question:
    """What must be read before these submissions can be decided."""
    command_ids: dict[CommandKey, None] = {}
    references: dict[CommandKey, None] = {}
    wallets: dict[StreamKey, None] = {}
    customers: dict[CustomerKey, None] = {}
    transactions: dict[EventKey, None] = {}
    payments: dict[PaymentKey, None] = {}
    identities: dict[IdentityKey, None] = {}
    for submission in submissions:
        tenant_id, command = submission.tenant_id, submission.command
        if submission.command_id is not None:
            command_ids[CommandKey(tenant_id, submission.command_id)] = None
        if isinstance(command, _OPENING):
            customers[CustomerKey(tenant_id, command.customer_id, command.currency)] = None
            identities.update(_identities_of(tenant_id, command))
            continue
        reference = reference_of(command)
        if reference is not None:
            references[CommandKey(tenant_id, reference)] = None
        target = target_of(submission, originals)
        if not isinstance(target, Target):
            continue
        for key in (target.wallet, target.other):
            if key is not None and key not in cache:
                wallets[key] = None
        if target.reversed_key is not None:
            transactions[target.reversed_key] = None
        if target.payment_key is not None:
            payments[target.payment_key] = None
    return Question(
        command_ids=list(command_ids),
        references=list(references),
        wallets=list(wallets),
        customers=list(customers),
        transactions=list(transactions),
        payments=list(payments),
        identities=list(identities),
        serials=_numbering(submissions),
    )


def _numbering(submissions: Sequence[Submission]) -> list[str]:
    """The tenants of which an account number may be allotted."""
    allotting = (each for each in submissions if type(each.command) in _NUMBERING)
    return list(dict.fromkeys(each.tenant_id for each in allotting))


def _identities_of(
    tenant_id: str, command: CreateWallet | EnrollCustomer
) -> dict[IdentityKey, None]:
    if isinstance(command, CreateWallet):
        return {}
    return {IdentityKey(tenant_id, command.identity_index): None}


def nothing_found(head: Head, now: datetime) -> Findings:
    """What a look-up finds for commands that are all new, on wallets that are all cached."""
    return Findings(
        head_number=head.number,
        head_hash=head.hash,
        now=now,
        command_outcomes={},
        references={},
        wallets={},
        open_wallets={},
        user_id_owners={},
    )
