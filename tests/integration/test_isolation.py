"""Another merchant finds nothing, on any route of either API: a route without a row fails."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.gateway.docs import BAAS_OPENAPI_FILE, OPENAPI_FILE
from tests.integration.test_gateway_topups import PAYMENTS
from tests.specs.baas_client import BaasClient, in_credit_wallets
from tests.specs.form_server import BOUNDARY, form
from tests.specs.people import TIER_ONE, TIER_THREE, TIER_TWO
from tests.specs.pictures import png
from tests.specs.running_gateway import RunningGateway, running_gateway
from tests.specs.vault_line import VaultLine

MONEY = {"amount": 1, "reference": "theirs"}
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class Row(NamedTuple):
    """A stranger's attempt. Names in braces are of the merchant; 200 finds what is empty."""

    route: str
    path: str
    body: object = None
    statuses: tuple[int, ...] = (404,)


A = [
    Row("get /v1/wallets", "/v1/wallets?customer_id={customer}", statuses=(200,)),
    Row("get /v1/wallets", "/v1/wallets?after={cursor}", statuses=(400,)),
    Row("get /v1/wallets", "/v1/wallets", statuses=(200,)),
    Row("get /v1/wallets/{wallet_id}", "/v1/wallets/{wallet}"),
    *(
        Row(f"post /v1/wallets/{{wallet_id}}/{verb}", f"/v1/wallets/{{wallet}}/{verb}", body)
        for verb, body in {
            "debit": MONEY,
            "credit": MONEY,
            "freeze": {},
            "unfreeze": {},
            "close": {},
            "holds": MONEY,
            "topups": {"amount": 1, "redirect_url": "https://shop.example/"},
        }.items()
    ),
    Row(
        "post /v1/wallets/{wallet_id}/review",
        "/v1/wallets/{wallet}/review",
        {"outcome": "approved"},
        (403,),
    ),
    *(
        Row(f"get /v1/reviews/{{wallet_id}}{more}", f"/v1/reviews/{{waiting}}{more}", None, (403,))
        for more in ("", "/utility-bill")
    ),
    *(
        Row(f"get /v1/wallets/{{wallet_id}}/{what}", f"/v1/wallets/{{wallet}}/{what}")
        for what in ("transactions", "events", "holds", "topups")
    ),
    Row("get /v1/holds/{hold_id}", "/v1/holds/{hold}"),
    Row("post /v1/holds/{hold_id}/capture", "/v1/holds/{hold}/capture", {}),
    Row("post /v1/holds/{hold_id}/void", "/v1/holds/{hold}/void", {}),
    Row("get /v1/topups/{topup_id}", "/v1/topups/{topup}"),
    Row("post /v1/topups/{topup_id}/cancel", "/v1/topups/{topup}/cancel", {}),
    Row("post /v1/transfers", "/v1/transfers", MONEY | {"from": "{wallet}", "to": "{friend}"}),
    Row("get /v1/transfers/{transfer_id}", "/v1/transfers/{transfer}"),
    Row("get /v1/transactions/{transaction_id}", "/v1/transactions/{transaction}"),
    Row(
        "post /v1/transactions/{transaction_id}/reverse",
        "/v1/transactions/{transaction}/reverse",
        {"reference": "theirs"},
    ),
    Row(
        "post /v1/batch",
        "/v1/batch",
        {"commands": [{"type": "debit", "wallet_id": "{wallet}", **MONEY}]},
        (200,),
    ),
    Row("get /v1/accounts", "/v1/accounts", statuses=(200,)),
    Row("get /v1/accounts/{account_id}/entries", "/v1/accounts/merchant.NGN/entries"),
    Row("get /v1/trial-balance", "/v1/trial-balance", statuses=(200,)),
    Row("get /v1/audit-log", "/v1/audit-log", statuses=(403,)),
    # Opening a wallet names nothing that there is: it is the stranger's own.
    Row("post /v1/wallets", "/v1/wallets", {"customer_id": "own", "currency": "GHS"}, (201,)),
]
B = [
    Row("get /wallets", "/wallets", statuses=(200,)),
    Row("get /wallets/{customer_id}", "/wallets/{user}"),
    # The stranger's own, which is empty.
    Row("get /wallets/merchants", "/wallets/merchants", statuses=(200,)),
    Row("get /wallets/tier-3", "/wallets/tier-3?reference={tier_three}"),
    *(
        Row(f"post /wallets/{verb}", f"/wallets/{verb}", MONEY | {"customer_id": "{user}"})
        for verb in ("credit", "debit")
    ),
    Row(
        "post /wallets/transfer/bank",
        "/wallets/transfer/bank",
        MONEY | {"from_wallet_id": "{wallet_uuid}", "to_wallet_id": "{friend_uuid}"},
    ),
    *(
        Row(
            f"post /wallets/{verb}",
            f"/wallets/{verb}",
            {"account_number": "{account}", "reason": "r"},
        )
        for verb in ("freeze", "unfreeze")
    ),
    Row(
        "post /wallets/upgrade-tier-2",
        "/wallets/upgrade-tier-2",
        {"account_number": "{account}", "nin": "11111111111"},
    ),
    Row("get /transactions/{reference}", "/transactions/in"),
    Row("get /transactions/{reference}", "/transactions/declined"),
    Row("get /transactions/customer/{customer_id}", "/transactions/customer/{user}"),
    Row(
        "get /transactions/customer/{customer_id}/{reference}",
        "/transactions/customer/{user}/in",
    ),
    # Of people: who is known to the merchant is not known to the stranger.
    Row("post /wallets", "/wallets", TIER_ONE | {"email": "x@example.com"}, (201,)),
    Row("post /wallets/tier-2", "/wallets/tier-2", TIER_TWO | {"bvn": "22222222224"}, (201,)),
    Row("post /wallets/tier-3", "/wallets/tier-3", "form", (201,)),
]


def routes(file: Path) -> set[str]:
    """Every route of a document."""
    paths = json.loads(file.read_text())["paths"]
    return {f"{method} {path.removeprefix('/baas/v1')}" for path in paths for method in paths[path]}


@pytest.mark.parametrize(("file", "rows"), [(OPENAPI_FILE, A), (BAAS_OPENAPI_FILE, B)])
def test_every_route_has_a_row(file: Path, rows: list[Row]) -> None:
    assert {row.route for row in rows} == routes(file)


@pytest.fixture
async def baas(database: str, empty_database: str, tmp_path: Path) -> AsyncIterator[BaasClient]:
    line = VaultLine(empty_database, tmp_path)
    await line.prepare()
    async with running_gateway(database, PAYMENTS, line.settings) as gateway:
        yield BaasClient(gateway, line)


async def test_a_stranger_finds_nothing(baas: BaasClient, subtests: pytest.Subtests) -> None:
    gateway = baas.gateway
    names = await scene(baas)
    told = [value for name, value in names.items() if name != "{account}"]
    before = await theirs(gateway)
    for row in (*B, *A):
        with subtests.test(f"{row.route}: {row.path}"):
            method = row.route.partition(" ")[0].upper()
            path, body = filled(row.path, names), filled(row.body, names)
            # The books wait for everybody's entries, also for what rows before this one did.
            await gateway.project("trial_balance")
            if row.body == "form":
                person = {name: str(value) for name, value in TIER_THREE.items()}
                data = form(person | {"bvn": "22222222225"}, png())
                reply = await baas.call(method, path, data=data, headers=FORM, who="stranger")
            elif row in A:
                reply = await gateway.call(method, path, body, who="stranger")
            else:
                reply = await baas.call(method, path, body, who="stranger")
            assert reply.status in row.statuses, reply
            if method == "GET" or reply.status >= 400:
                # A refusal may say which of the wallets that were sent there is not.
                sent = json.dumps(body)
                found = [value for value in told if value in reply.body.decode()]
                assert all(value in sent for value in found), reply
            assert await theirs(gateway) == before


def filled(part: Any, names: dict[str, str]) -> Any:
    """The same with real names in it."""
    match part:
        case str():
            for name, value in names.items():
                part = part.replace(name, value)
            return part
        case dict():
            return {name: filled(value, names) for name, value in part.items()}
        case list():
            return [filled(value, names) for value in part]
        case _:
            return part


async def theirs(gateway: RunningGateway) -> int:
    """How many events the merchant's tenant has."""
    count = "SELECT count(*) FROM events WHERE tenant_id = $1::uuid"
    return int(await gateway.connection.fetchval(count, gateway.merchant.sandbox_tenant_id))


async def scene(baas: BaasClient) -> dict[str, str]:
    """What the merchant has."""
    gateway = baas.gateway
    known = (await baas.post("/wallets", TIER_ONE)).json["data"]
    person = {name: str(value) for name, value in TIER_THREE.items()}
    waiting = await baas.post(
        "/wallets/tier-3", data=form(person | {"bvn": "22222222223"}, png()), headers=FORM
    )
    _, friend = await baas.open_wallet("cus_friend")
    wallet = in_credit_wallets(known["id"])
    credited = await gateway.credit(wallet, 1_000, "in")
    hold = await gateway.place_hold(wallet, 10, "ride")
    topup = await gateway.create_topup(wallet, 10)
    body = {"from": wallet, "to": in_credit_wallets(friend), "amount": 1, "reference": "gift"}
    transfer = await gateway.post("/transfers", body)
    debit = {"amount": 10_000, "reference": "declined"}
    await gateway.post(f"/wallets/{wallet}/debit", debit)
    await gateway.project()
    cursor = (await gateway.get("/wallets?limit=1")).json["next_cursor"]
    return {
        "{customer}": known["user_id"],
        "{user}": known["user_id"],
        "{wallet}": wallet,
        "{wallet_uuid}": known["id"],
        "{friend}": in_credit_wallets(friend),
        "{friend_uuid}": friend,
        "{account}": known["account_number"],
        "{tier_three}": waiting.json["data"]["id"],
        "{waiting}": in_credit_wallets(waiting.json["data"]["id"]),
        "{hold}": hold,
        "{topup}": topup,
        "{transfer}": transfer.json["id"],
        "{transaction}": credited.json["id"],
        "{cursor}": cursor,
    }
