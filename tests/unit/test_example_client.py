"""The example of docs/how-to/write-a-client.md, against a server that fails in many ways."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "call_over_http.py"
BROKEN_OFF = 0
"""In the place of a status: the connection is closed without an answer."""


class Told(NamedTuple):
    """What a server has been sent."""

    method: str
    path: str
    authorization: str | None
    body: bytes


class Answers(ThreadingHTTPServer):
    """Gives the answers that it is told to, one after another, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, dict[str, str], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.told: list[Told] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Answers

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        authorization = self.headers.get("Authorization")
        self.server.told.append(Told(self.command, self.path, authorization, body))
        answers = self.server.answers
        status, headers, text = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == BROKEN_OFF:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = _answer  # noqa: N815 - the names that the base class calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("call_over_http", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[Answers] = []

    def started(*answers: tuple[int, dict[str, str], str]) -> Answers:
        servers.append(Answers(*answers))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1]

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


def problem(code: str) -> str:
    return json.dumps({"code": code, "detail": "no"})


def page(entries: list[int], cursor: str | None) -> tuple[int, dict[str, str], str]:
    data = [{"n": n} for n in entries]
    more = {"data": data, "has_more": cursor is not None, "next_cursor": cursor}
    return 200, {}, json.dumps(more)


def test_whatever_comes_in_between_the_same_request_is_sent_until_it_is_answered(
    example: Any, serve: Any
) -> None:
    server = serve(
        (BROKEN_OFF, {}, ""),
        (503, {"Retry-After": "0"}, problem("outcome_unknown")),
        (429, {"Retry-After": "0"}, problem("rate_limited")),
        (502, {"Retry-After": "Sun, 22 Nov 2026 12:00:00 GMT"}, "<h1>Bad gateway</h1>"),
        (502, {"Content-Length": "1000"}, "an answer that breaks"),
        (200, {}, '{"amount": 5, "a_field_of_tomorrow": true}'),
    )
    wallets = example.Wallets(server.url, "key_a", "secret")
    assert wallets.move("wal_1", "debit", 5, "r1")["amount"] == 5
    assert len(server.told) == 6
    assert set(server.told) == {
        Told(
            "POST",
            "/v1/wallets/wal_1/debit",
            "Basic a2V5X2E6c2VjcmV0",
            b'{"amount": 5, "reference": "r1"}',
        )
    }


def test_a_refusal_is_told_at_once(example: Any, serve: Any) -> None:
    server = serve((409, {}, problem("a_code_of_tomorrow")))
    with pytest.raises(example.ProblemError) as refused:
        example.Wallets(server.url, "key_a", "secret").move("wal_1", "debit", 5, "r1")
    assert (refused.value.status, refused.value.code) == (409, "a_code_of_tomorrow")
    assert len(server.told) == 1


def test_a_wallet_that_is_there_is_the_one_that_was_asked_for(example: Any, serve: Any) -> None:
    there = json.dumps({"code": "wallet_exists", "wallet_id": "wal_7"})
    server = serve((BROKEN_OFF, {}, ""), (409, {}, there))
    assert example.Wallets(server.url, "key_a", "secret").open_wallet("cus_1", "GHS") == "wal_7"


def test_patience_has_an_end(example: Any, serve: Any) -> None:
    server = serve((503, {"Retry-After": "0"}, problem("ledger_unavailable")))
    wallets = example.Wallets(server.url, "key_a", "secret")
    wallets.patience_s = 0.2
    with pytest.raises(example.ProblemError, match="ledger_unavailable"):
        wallets.call("GET", "/wallets/wal_1")
    assert len(server.told) >= 2


def test_pages_follow_each_other_to_the_last(example: Any, serve: Any) -> None:
    server = serve(page([1, 2], "abc"), page([3], None))
    wallets = example.Wallets(server.url, "key_a", "secret")
    assert [each["n"] for each in wallets.entries("/wallets", limit=2)] == [1, 2, 3]
    asked = [told.path for told in server.told]
    assert asked == ["/v1/wallets?limit=2", "/v1/wallets?limit=2&after=abc"]
