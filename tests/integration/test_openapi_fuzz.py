"""The gateway keeps what its OpenAPI document says, whatever it is sent.

schemathesis makes calls from the document that the gateway serves: calls that keep to it and
calls that break it. Ids in them are, as often as not, replaced by ids that earlier answers
named, so that the calls get past "no such wallet". No operation is named here: one that is
added to the document is tried, too.
"""

import asyncio
import json
import re
import traceback
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode, Response, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok, Result
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.specs.baas_client import BaasClient, in_credit_wallets
from tests.specs.form_server import BOUNDARY, form
from tests.specs.payments import payments_at
from tests.specs.people import TIER_THREE
from tests.specs.pictures import png
from tests.specs.running_gateway import RunningGateway, running_gateway
from tests.specs.vault_line import VaultLine

pytestmark = pytest.mark.long
Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_ID = re.compile(r"[a-z]{3}_[0-9a-f]{32}")
# The examples' moments are past: a hold until then would be refused.
_YEAR = re.compile(r"20\d\d-(?=\d\d-\d\dT)")
_TIMEOUT_S = 30
_TRIES = 8


class KnownIds:
    """Ids that answers named, by their prefix, such as `wal`."""

    def __init__(self) -> None:
        self._ids: dict[str, list[str]] = defaultdict(list)

    def learn(self, text: str) -> None:
        """Keep every id in an answer."""
        for name in _ID.findall(text):
            known = self._ids[name[:3]]
            if name not in known:
                known.append(name)

    def instead_of(self, name: str, pick: int) -> str:
        """One of the known ids of the same kind, or the id itself where there is none."""
        known = self._ids.get(name[:3])
        return known[pick % len(known)] if known else name

    def within(self, value: Any, pick: int) -> Any:
        """The value with known ids in the place of invented ones, all through."""
        match value:
            case str() if _ID.fullmatch(value):
                return self.instead_of(value, pick)
            case list():
                return [self.within(each, pick + n) for n, each in enumerate(value)]
            case dict():
                return {
                    key: self.within(each, pick + n) for n, (key, each) in enumerate(value.items())
                }
            case _:
                return value


class Fuzzer:
    """Calls one gateway by its document, and checks every answer against it."""

    def __init__(self, gateway: RunningGateway, examples: int) -> None:
        self.known = KnownIds()
        self.statuses: dict[str, set[int]] = defaultdict(set)
        self._gateway = gateway
        self._examples = examples
        self._session = requests.Session()
        self._names: dict[str, str] = {}
        self._bodies: dict[tuple[str, str], object] = {}

    def document(self) -> dict[str, Any]:
        """What the gateway says of itself."""
        answer = self._session.get(f"{self._gateway.url}/v1/openapi.json", timeout=_TIMEOUT_S)
        assert answer.status_code == 200
        document: dict[str, Any] = json.loads(_YEAR.sub("2999-", answer.text))
        return document

    def run(self, document: dict[str, Any]) -> list[str]:
        """Try every operation of the document; what was found wrong."""
        self._read_examples(document)
        schema = openapi.from_dict(document)
        operations = [_understood(each) for each in schema.get_all_operations()]
        attempts: list[tuple[Operation, str, Callable[[], None]]] = [
            *((each, "example", partial(self._succeed_once, each)) for each in operations),
            *(
                (each, mode.value, self._fuzzing(each, mode))
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
                for each in operations
            ),
        ]
        return [
            f"{operation.label}, {what}: {wrong}"
            for operation, what, attempt in attempts
            if (wrong := _wrong_with(attempt))
        ]

    def _read_examples(self, document: dict[str, Any]) -> None:
        parameters = document["components"]["parameters"].values()
        self._names = {each["name"]: each["example"] for each in parameters if each["in"] == "path"}
        for path, calls in document["paths"].items():
            for method, call in calls.items():
                content = call.get("requestBody", {}).get("content", {})
                self._bodies[path, method] = content.get("application/json", {}).get("example")

    def _fuzzing(self, operation: Operation, mode: GenerationMode) -> Callable[[], None]:
        # A given number of calls, the same in each run; nothing is kept beside the test.
        @settings(
            max_examples=self._examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), pick=st.integers(0, 9999))
        def every_answer_is_in_the_document(case: AnyCase, pick: int) -> None:
            self._fuzz(case, pick)

        return every_answer_is_in_the_document

    def _succeed_once(self, operation: Operation) -> None:
        """The call of the document's own example, of one thing after another until it is taken."""
        example = self._bodies[operation.path, operation.method]
        for pick in range(_TRIES):
            case = operation.Case(
                path_parameters={
                    name: self.known.instead_of(self._names[name], pick)
                    for name in self._names
                    if f"{{{name}}}" in operation.path
                },
            )
            if example is not None:
                case.media_type = "application/json"
                case.body = self.known.within(example, pick + 1)
            if self._send(case) < 300:
                return

    def _fuzz(self, case: AnyCase, pick: int) -> None:
        if pick % 4:
            for name in case.path_parameters:
                case.path_parameters[name] = self.known.instead_of(self._names[name], pick)
            example = self._bodies[case.operation.path, case.operation.method]
            # Another wallet than the path has.
            case.body = self.known.within(_with_some_of(example, case.body, pick), pick + 1)
        self._send(case)

    def _send(self, case: AnyCase) -> int:
        answer: Response = case.call(
            base_url=self._gateway.url,
            session=self._session,
            headers={"Authorization": self._gateway.authorization("admin")},
            timeout=_TIMEOUT_S,
        )
        self.statuses[case.operation.label].add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code < 300:
            # Not all are texts: a utility bill is a file.
            self.known.learn(answer.content.decode(errors="replace"))
        return answer.status_code


def _wrong_with(attempt: Callable[[], None]) -> str:
    try:
        attempt()
    except (Exception, FailureGroup) as error:  # noqa: BLE001 each failure is told beside the others
        return "".join(traceback.format_exception(error, limit=0))
    return ""


def _understood(operation: Result[Operation, Any]) -> Operation:
    assert isinstance(operation, Ok), operation
    return operation.ok()


def _with_some_of(example: object, body: object, pick: int) -> object:
    """The body with some of its fields as the document's example has them."""
    if not isinstance(example, dict) or not isinstance(body, dict):
        return body
    taken = [key for n, key in enumerate(body) if key in example and pick >> n & 1]
    return {**body, **{key: example[key] for key in taken}}


@asynccontextmanager
async def followed(gateway: RunningGateway) -> AsyncIterator[None]:
    """Read models that keep up with the log meanwhile, as they do behind a relay."""
    is_over = asyncio.Event()

    async def follow() -> None:
        while not is_over.is_set():
            await gateway.project()
            await asyncio.sleep(0.01)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        is_over.set()
        await following


async def something_to_review(baas: BaasClient, known: KnownIds) -> None:
    """Wallets that wait for a review, which are opened over the other API only."""
    person = {name: str(value) for name, value in TIER_THREE.items()}
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    for number in range(8):
        body = form(person | {"bvn": f"2222222222{number}"}, png())
        reply = await baas.post("/wallets/tier-3", data=body, headers=headers)
        known.learn(in_credit_wallets(reply.json["data"]["id"]))


async def something_of_each_kind(gateway: RunningGateway, known: KnownIds) -> None:
    """Wallets with money that stays and money that lapses, holds, top-ups, a transfer."""
    wallets = [await gateway.open_wallet(f"cus_{n}") for n in range(8)]
    known.learn(" ".join(wallets))
    for n, wallet in enumerate(wallets[:5]):
        await gateway.credit(wallet, 1_000_000_000, f"in-{n}")
        expiring = {"amount": 1000, "reference": f"lot-{n}", "expires_at": "2999-01-01"}
        assert (await gateway.post(f"/wallets/{wallet}/credit", expiring)).status == 200
        await gateway.place_hold(wallet, 1000, f"hold-{n}")
        known.learn(await gateway.place_hold(wallet, 1000, f"hold-{n}-more"))
        asked = {"amount": 1000, "redirect_url": "https://shop.test/", "expires_at": "2999-01-01"}
        known.learn((await gateway.post(f"/wallets/{wallet}/topups", asked)).body.decode())
    body = {"from": wallets[0], "to": wallets[1], "amount": 5, "reference": "transfer"}
    known.learn((await gateway.post("/transfers", body)).body.decode())


@pytest.mark.parametrize("examples", [15, pytest.param(400, marks=pytest.mark.slow)])
async def test_no_call_gets_an_answer_outside_the_document(
    database: str, empty_database: str, tmp_path: Path, examples: int
) -> None:
    line = VaultLine(empty_database, tmp_path)
    await line.prepare()
    # Where customers would pay nobody listens: no call of the document goes there.
    payments = payments_at("http://127.0.0.1:9")
    async with running_gateway(database, payments, line.settings) as gateway:
        fuzzer = Fuzzer(gateway, examples)
        await something_of_each_kind(gateway, fuzzer.known)
        await something_to_review(BaasClient(gateway, line), fuzzer.known)
        async with followed(gateway):
            wrong = await asyncio.to_thread(lambda: fuzzer.run(fuzzer.document()))
        assert wrong == [], "\n\n".join(wrong)
        # It has got beyond refusals.
        never = [label for label, seen in fuzzer.statuses.items() if not seen & {200, 201}]
        assert never == []


async def test_answers_outside_a_document_are_told(database: str) -> None:
    """Of a document that knows no 422, and takes balances for texts."""
    async with running_gateway(database) as gateway:
        fuzzer = Fuzzer(gateway, examples=5)
        await something_of_each_kind(gateway, fuzzer.known)
        document = await asyncio.to_thread(fuzzer.document)
        for calls in document["paths"].values():
            for call in calls.values():
                call["responses"].pop("422", None)
        document["components"]["schemas"]["Wallet"]["properties"]["balance"] = {"type": "string"}
        async with followed(gateway):
            wrong = "\n".join(await asyncio.to_thread(fuzzer.run, document))
        assert "POST /v1/wallets, example: " in wrong
        assert "is not of type" in wrong
        assert "Received: 422" in wrong
