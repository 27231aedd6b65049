"""The Credit Wallets API's calls that show a reviewer the person who waits, and the utility bill.

Only for as long as the wallet waits. Who is shown what is written to the log first.
"""

from contextlib import AsyncExitStack
from typing import Final

from msgspec import Struct

from schemas.results import WalletView
from services.customers.known_people import KnownPerson
from services.customers.looks import Shown, process_log, tell_look
from services.gateway.answers import JSON, Answer, header
from services.gateway.baas.failures import CUSTOMER_ERASED
from services.gateway.baas.sealed_people import SealedPeople
from services.gateway.baas.utility_bills import UtilityBills, not_readable
from services.gateway.calls import Call
from services.gateway.credit_wallets.names import named_wallet, unknown_wallet
from services.gateway.credit_wallets.rendering import render_review
from services.gateway.problems import RefusedError
from services.gateway.reads import Reads
from services.gateway.streams import StreamedAnswer
from services.vault.customer import Customer
from services.vault.documents import OpenDocument
from services.vault.errors import CustomerErasedError, DocumentMissingError
from services.vault.sealing import DataKey

_PRIVATE: Final = header("Cache-Control", "no-store")
_AS_IT_IS: Final = header("X-Content-Type-Options", "nosniff")


class _Waiting(Struct, frozen=True, kw_only=True):
    """A wallet that waits, whose it is, and what opens what is sealed of the customer."""

    view: WalletView
    customer: Customer
    key: DataKey
    person: KnownPerson


class ReviewQueries:
    """Handlers."""

    def __init__(self, reads: Reads, people: SealedPeople, bills: UtilityBills) -> None:
        self._reads = reads
        self._people = people
        self._looks = process_log()
        self._bills = bills

    async def review(self, call: Call) -> Answer:
        """`GET /reviews/:wallet_id`: 200 and the person."""
        waiting = await self._waiting(call)
        self._tell(call, waiting, "person")
        view, person = waiting.view, waiting.person
        path = None if person.utility_bill is None else f"/v1/reviews/{view.id}/utility-bill"
        return Answer(200, JSON, render_review(view, person.identity, path))

    async def utility_bill(self, call: Call) -> Answer:
        """`GET /reviews/:wallet_id/utility-bill`: 200 and the file, as it was sent."""
        waiting = await self._waiting(call)
        name = waiting.person.utility_bill
        if name is None:
            raise _no_bill()
        opening = self._bills.open(waiting.customer, waiting.key, name)
        async with AsyncExitStack() as stack:
            try:
                document = await stack.enter_async_context(opening)
            except DocumentMissingError:
                raise _no_bill() from None
            except OSError as error:
                raise not_readable(error) from error
            self._tell(call, waiting, "utility_bill")
            return await _sent(call, waiting.view.id, document)

    async def _waiting(self, call: Call) -> _Waiting:
        tenant_id = call.principal.tenant_id
        # Never what is a moment old: the customer may have been erased since.
        found = await self._reads.wallet(tenant_id, named_wallet(call), eventual=False)
        if found is None:
            raise unknown_wallet()
        view = found.view
        if view.is_erased:
            raise _erased()
        if view.review != "pending" or view.status == "closed" or view.identity is None:
            raise RefusedError("review_not_pending", "the wallet waits for no review")
        customer = Customer(tenant_id=tenant_id, user_id=view.user_id)
        try:
            key, person = await self._people.unseal_with_key(customer, view.identity)
        except CustomerErasedError:
            raise _erased() from None
        return _Waiting(view=view, customer=customer, key=key, person=person)

    def _tell(self, call: Call, waiting: _Waiting, shown: Shown) -> None:
        tell_look(
            self._looks,
            shown,
            who=call.principal.who,
            customer=waiting.customer,
            wallet_id=waiting.view.id,
            request_id=call.request_id,
        )


async def _sent(call: Call, wallet_id: str, document: OpenDocument) -> Answer:
    kind = document.content_type.rpartition("/")[2]
    file_name = f"utility-bill-{wallet_id}.{kind}"
    headers_bytes = (
        header("Content-Type", document.content_type)
        + header("Content-Disposition", f'attachment; filename="{file_name}"')
        + _AS_IT_IS
        + _PRIVATE
        + header("X-Request-Id", call.request_id)
    )
    answer = StreamedAnswer(call.request, headers_bytes)
    if call.request.method == "HEAD":
        return answer
    try:
        async for piece in document.pieces:
            await answer.send(piece)
    except ConnectionError:
        # The client has gone: there is nobody to tell.
        answer.abort()
    except BaseException:
        # What was sent is not the whole, and must not be taken for it.
        answer.abort()
        raise
    return answer


def _erased() -> RefusedError:
    return RefusedError(CUSTOMER_ERASED, "the customer was erased")


def _no_bill() -> RefusedError:
    return RefusedError("utility_bill_not_found", "there is no utility bill")
