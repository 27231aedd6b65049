"""A merchant who makes each call through either API, and keeps a book of what must be shown.

The book knows no rule: it takes what was accepted or declined at its word, and writes down the
line that each wallet's history must have for it, and what that makes of the balance.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeVar
from uuid import uuid4

import aiohttp
import msgspec

from schemas.identifiers import transaction_id
from services.gateway.baas.failures import FAILURES
from services.gateway.baas.identifiers import uuid_of, wallet_of
from tests.specs.people import TIER_ONE
from tests.specs.running_stack import RunningStack

Api = Literal["a", "b"]
CUSTOMERS: Final = 3
KINDS: Final = (
    *("credit", "debit", "transfer"),
    *("hold", "capture", "void", "reverse", "topup", "close", "reopen"),
    *("freeze", "unfreeze", "again"),
)
_COMING_IN: Final = ("credit",)
_UNRECORDED: Final = ("reference_reused",)
"""What is declined before a wallet is asked."""
_CODES: Final = {failure.message: code for code, failure in FAILURES.items()}


class Step(NamedTuple):
    """A call to come; what it is about is looked up when its turn comes."""

    kind: str
    api: Api
    customer: int
    amount: int
    reference: int
    choice: int
    """Which of the others, the holds or the transactions; counted from the newest."""
    text: str


class Line(NamedTuple):
    """What a history must have of one movement, or of one that was declined."""

    kind: str
    amount: int
    reference: str | None
    status: str = "completed"


class Reply(NamedTuple):
    """An answer; `code` is why it was declined, in the words of the Credit Wallets API."""

    api: Api
    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def code(self) -> str | None:
        """None where it was accepted."""
        if self.status < 400:
            return None
        return str(self.json["code"]) if self.api == "a" else _CODES[self.json["message"]]

    @property
    def is_replayed(self) -> bool:
        """Whether it is the answer to an earlier call."""
        return self.headers.get("Idempotent-Replayed") == "true"

    @property
    def transaction(self) -> str:
        """The transaction's id as the BaaS API spells it; of a transfer, that of the way in."""
        if self.api == "b":
            return str(self.json["data"]["id"])
        return uuid_of(self.json.get("received_transaction_id") or self.json["id"])


class Hold(NamedTuple):
    """Money set aside."""

    id: str
    wallet: str
    reference: str


class Movement(NamedTuple):
    """A call that moved money, so that it can be made again, and undone."""

    step: Step
    wallet: str
    other: str
    reply: Reply


class Client:
    """Both APIs of a running stack."""

    def __init__(self, stack: RunningStack, session: aiohttp.ClientSession) -> None:
        self._url = stack.url
        self._session = session
        self._credentials = {
            "a": {"Authorization": stack.authorization},
            "b": {"X-API-Key": stack.sandbox["API_KEY"]},
        }

    async def call(self, api: Api, path: str, body: object = None) -> Reply:
        """A GET, or a POST of this body. Nothing may be a fault of the ledger's."""
        headers = {**self._credentials[api], "Content-Type": "application/json"}
        base = {"a": "/v1", "b": "/baas/v1"}[api]
        async with self._session.request(
            "GET" if body is None else "POST",
            self._url + base + path,
            data=None if body is None else msgspec.json.encode(body),
            headers=headers,
        ) as answer:
            found = msgspec.json.decode(await answer.read())
            reply = Reply(api, answer.status, answer.headers.copy(), found)
        assert reply.status < 500, reply
        return reply

    async def get(self, api: Api, path: str) -> Any:
        """What a GET shows, which must be there."""
        reply = await self.call(api, path)
        assert reply.status == 200, (path, reply)
        return reply.json


class Merchant:
    """Makes the calls. Everything of one merchant has names that no other has."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._name = uuid4().hex
        self._customer_ids: list[str] = []
        self.users: list[str] = []
        self.wallets: list[list[str]] = []
        """Each customer's, the newest last."""
        self.lines: defaultdict[str, list[Line]] = defaultdict(list)
        """Each wallet's, the oldest first."""
        self.balances: Counter[str] = Counter()
        self.topups: dict[str, str] = {}
        """What each was asked for under."""
        self._account_number = ""
        self._holds: list[Hold] = []
        self._movements: list[Movement] = []

    async def begin(self) -> None:
        """Open a wallet for each customer: all through the Credit Wallets API, but the last."""
        for number in range(CUSTOMERS - 1):
            customer = str(uuid4()) if number else f"{self._name} {number}"
            body = {"customer_id": customer, "currency": "NGN"}
            opened = await self.client.call("a", "/wallets", body)
            self._know(customer, opened.json["user_id"], opened.json["id"])
        person = TIER_ONE | {"bvn": f"3{int(self._name, 16) % 10**10:010}"}
        enrolled = (await self.client.call("b", "/wallets", person)).json["data"]
        self._know(enrolled["user_id"], enrolled["user_id"], wallet_of(enrolled["id"]))
        self._account_number = enrolled["account_number"]

    def _know(self, customer: str, user: str, wallet: str) -> None:
        self._customer_ids.append(customer)
        self.users.append(user)
        self.wallets.append([wallet])

    async def make(self, step: Step) -> None:
        """Make the call, and write down what it must have come to."""
        match step.kind:
            case "credit" | "debit" | "transfer":
                await self._move(step, self._newest(step.customer), self._other(step))
            case "again" if self._movements:
                await self._make_again(step)
            case "hold":
                await self._hold(step)
            case "capture" | "void" if self._holds:
                await self._settle(step, _newest(self._holds, step.choice))
            case "reverse" if self._movements:
                await self._reverse(step, _newest(self._movements, step.choice))
            case "topup":
                await self._ask_for_payment(step)
            case "freeze" | "unfreeze" | "close" | "reopen":
                await self._change(step)
            case _:
                pass  # There is nothing yet that it could be about.

    def reference(self, step: Step) -> str:
        """The reference that a step's call has."""
        return f"{self._name[:12]} {step.reference}"

    def _newest(self, customer: int) -> str:
        return self.wallets[customer][-1]

    def _other(self, step: Step) -> str:
        return self._newest((step.customer + 1 + step.choice % (CUSTOMERS - 1)) % CUSTOMERS)

    async def _move(self, step: Step, wallet: str, other: str) -> None:
        reply = await self._ask_to_move(step, wallet, other)
        if reply.is_replayed:
            # What a reference has moved before it moves no more, whichever API is asked.
            (first,) = (
                each for each in self._movements if each.reply.transaction == reply.transaction
            )
            assert self.reference(first.step) == self.reference(step)
            return
        self._write(reply, Line(step.kind, step.amount, self.reference(step)), wallet, other)
        if reply.code is None:
            self._movements.append(Movement(step, wallet, other, reply))

    async def _make_again(self, step: Step) -> None:
        """An accepted call once more, through the other API: it is told of, and does nothing."""
        first = _newest(self._movements, step.choice)
        api: Api = "b" if first.step.api == "a" else "a"
        reply = await self._ask_to_move(first.step._replace(api=api), first.wallet, first.other)
        assert reply.is_replayed, reply
        assert reply.transaction == first.reply.transaction

    async def _ask_to_move(self, step: Step, wallet: str, other: str) -> Reply:
        body: dict[str, object] = {"reference": self.reference(step)}
        if step.api == "a":
            body["amount"] = step.amount
            if step.kind == "transfer":
                body |= {"from": wallet, "to": other, "description": step.text}
                return await self.client.call("a", "/transfers", body)
            body["metadata"] = {"text": step.text}
            return await self.client.call("a", f"/wallets/{wallet}/{step.kind}", body)
        body["amount"] = msgspec.Raw(b"%d.%02d" % divmod(step.amount, 100))
        if step.kind == "transfer":
            body |= {"from_wallet_id": uuid_of(wallet), "to_wallet_id": uuid_of(other)}
            return await self.client.call(
                "b", "/wallets/transfer/bank", body | {"narration": step.text}
            )
        (owner,) = (user for user, of in self._customers() if wallet in of)
        body |= {"customer_id": owner, "metadata": {"text": step.text}}
        return await self.client.call("b", f"/wallets/{step.kind}", body)

    def _customers(self) -> "zip[tuple[str, list[str]]]":
        return zip(self.users, self.wallets, strict=True)

    async def _hold(self, step: Step) -> None:
        wallet, reference = self._newest(step.customer), self.reference(step)
        body = {"amount": step.amount, "reference": reference}
        reply = await self.client.call("a", f"/wallets/{wallet}/holds", body)
        if reply.code is not None:
            self._write(reply, Line("hold", step.amount, reference), wallet)
        elif not reply.is_replayed:
            self._holds.append(Hold(reply.json["id"], wallet, reference))

    async def _settle(self, step: Step, hold: Hold) -> None:
        if step.kind == "void":
            await self.client.call("a", f"/holds/{hold.id}/void", {})
            return
        own = {"reference": self.reference(step)} if step.choice % 2 else {}
        body = {"amount": step.amount, "final": step.choice % 3 == 0} | own
        reply = await self.client.call("a", f"/holds/{hold.id}/capture", body)
        line = Line("capture", step.amount, own.get("reference", hold.reference))
        if not reply.is_replayed:
            self._write(reply, line, hold.wallet)

    async def _reverse(self, step: Step, movement: Movement) -> None:
        amount = step.amount if step.choice % 2 else movement.step.amount
        body = {"amount": amount, "reference": self.reference(step)}
        named = transaction_id(movement.reply.transaction.replace("-", ""))
        reply = await self.client.call("a", f"/transactions/{named}/reverse", body)
        if reply.is_replayed:
            return
        line = Line("reversal", amount, self.reference(step))
        match movement.step.kind:
            case "credit":
                self._write(reply, line, movement.wallet)
            case "debit":
                self._write(reply, line, "", movement.wallet)
            case _:
                self._write(reply, line, movement.other, movement.wallet)

    async def _ask_for_payment(self, step: Step) -> None:
        body = {
            "amount": step.amount,
            "redirect_url": "https://shop.example/thanks",
            "reference": self.reference(step),
        }
        path = f"/wallets/{self._newest(step.customer)}/topups"
        reply = await self.client.call("a", path, body)
        if reply.code is None and not reply.is_replayed:
            self.topups[reply.json["id"]] = self.reference(step)

    async def _change(self, step: Step) -> None:
        wallet = self._newest(step.customer)
        if step.kind == "reopen":
            body: dict[str, object] = {
                "customer_id": self._customer_ids[step.customer],
                "currency": "NGN",
            }
            reply = await self.client.call("a", "/wallets", body)
            if reply.code is None and reply.json["id"] != wallet:
                self.wallets[step.customer].append(reply.json["id"])
        elif step.kind == "close":
            body = {"remaining_balance": "forfeit"}
            reply = await self.client.call("a", f"/wallets/{wallet}/close", body)
            left = self.balances[wallet]
            if reply.code is None and left:
                self._write(reply, Line("forfeiture", left, None), wallet)
        elif step.api == "b":
            body = {"account_number": self._account_number, "reason": step.text or "none"}
            await self.client.call("b", f"/wallets/{step.kind}", body)
        else:
            await self.client.call("a", f"/wallets/{wallet}/{step.kind}", {})

    def _write(self, reply: Reply, line: Line, wallet: str, other: str = "") -> None:
        """A line for each wallet that was moved; where it was declined, for the first alone."""
        if reply.code is not None:
            if reply.code not in _UNRECORDED:
                self.lines[wallet or other].append(line._replace(status="failed"))
            return
        gives = line.kind not in _COMING_IN
        moved = [(wallet, gives)]
        if line.kind in ("transfer", "reversal"):
            moved = [(wallet, True), (other, False)]
        for each, is_giver in moved:
            if each:
                self.lines[each].append(line)
                self.balances[each] += -line.amount if is_giver else line.amount


ThingT = TypeVar("ThingT")


def _newest(things: Sequence[ThingT], choice: int) -> ThingT:
    return things[-1 - choice % len(things)]
