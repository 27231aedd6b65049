"""Call the Credit Wallets API from Python, with the standard library alone.

Run it after `set -a; . .ledger/sandbox.env; set +a`:

    python3 docs/examples/call_over_http.py
"""

# A script that a person runs and reads, no module of a package. It calls one address, which its
# caller gives it, and its random numbers only spread load.
# ruff: noqa: INP001, T201, S310, S311

import http.client
import json
import os
import random
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

REPEATED = {429, 500, 502, 503, 504}
"""Statuses after which the same request is sent again. 502 and 504 are those of a proxy."""


class ProblemError(Exception):
    """An answer that says no. `code` is stable; what is not known is judged by its status."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.status = status
        self.code = body.get("code")
        self.body = body


class Wallets:
    """The calls that this program makes. Amounts are integers in the currency's smallest unit."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self._url = url.rstrip("/") + "/v1"
        token = b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self.timeout_s = 15.0
        """Of one try. The ledger answers a command within 5 s, if only with a 503."""
        self.patience_s = 60.0
        """Of all tries of one call."""

    def open_wallet(self, customer_id: str, currency: str) -> str:
        """The id of the customer's wallet in a currency, opened now or before."""
        try:
            body = {"customer_id": customer_id, "currency": currency}
            wallet_id: str = self.call("POST", "/wallets", body)["id"]
        except ProblemError as problem:
            # So it is when the answer to the first try was lost.
            if problem.code != "wallet_exists":
                raise
            wallet_id = problem.body["wallet_id"]
        return wallet_id

    def move(self, wallet_id: str, what: str, amount: int, reference: str) -> dict[str, Any]:
        """Credit or debit. However often it is called with one reference, it happens once."""
        body = {"amount": amount, "reference": reference}
        return self.call("POST", f"/wallets/{wallet_id}/{what}", body)

    def entries(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page after page."""
        while True:
            page = self.call("GET", f"{path}?{urlencode(query)}")
            yield from page["data"]
            if not page["has_more"]:
                return
            query["after"] = page["next_cursor"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer's JSON. Raises `ProblemError`, or `OSError` when patience is at its end."""
        content = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, content, self._headers, method=method)
        give_up_at = time.monotonic() + self.patience_s
        tries = 0
        while True:
            tries += 1
            wait_s = random.uniform(0, min(0.1 * 2**tries, 5.0))
            try:
                with urlopen(request, timeout=self.timeout_s) as answer:
                    found: dict[str, Any] = json.load(answer)
                    return found
            except HTTPError as error:
                with error:
                    problem = ProblemError(error.code, _json_of(error))
                if error.code not in REPEATED or time.monotonic() > give_up_at:
                    raise problem from None
                # As long as the server asks for, and a little more by chance: clients that were
                # refused together must not come back together.
                wait_s += _asked_to_wait_s(error)
            except (OSError, http.client.HTTPException):
                # No answer: nobody knows whether it happened. The same request tells.
                if time.monotonic() > give_up_at:
                    raise
            time.sleep(wait_s)


def _asked_to_wait_s(error: HTTPError) -> float:
    try:
        return float(error.headers.get("Retry-After", 0))
    except ValueError:
        # A date, which the ledger does not send but a proxy may.
        return 1.0


def _json_of(error: HTTPError) -> dict[str, Any]:
    try:
        body = json.load(error)
    except (ValueError, OSError, http.client.HTTPException):
        body = None
    # What a proxy answers by itself is no problem of ours, and may be anything.
    return body if isinstance(body, dict) else {"detail": error.reason}


def main() -> None:
    """Open a wallet, put money in, take some out twice, ask for too much, read it all."""
    wallets = Wallets(
        os.environ["LEDGER_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
    )
    wallet = wallets.open_wallet(f"cus_{uuid4().hex[:6]}", "GHS")
    wallets.move(wallet, "credit", 15000, f"welcome-{wallet}")
    for _ in range(2):
        debit = wallets.move(wallet, "debit", 500, f"sms-{wallet}")
        print("debited", debit["amount"], "balance", debit["balance_after"])
    try:
        wallets.move(wallet, "debit", 99000, f"too-much-{wallet}")
    except ProblemError as problem:
        print(problem.code, "available", problem.body["available"])
    shown = wallets.call("GET", f"/wallets/{wallet}")
    print("balance", shown["balance"], shown["balance_formatted"])
    for entry in wallets.entries(f"/wallets/{wallet}/transactions", limit=1):
        print(entry["type"], entry["amount"])


if __name__ == "__main__":
    main()
