"""The sandbox merchant: made at the first start, its credentials kept in `sandbox.env`.

The secrets are nowhere else; the database has only their hashes.
"""

import os
import shlex
from pathlib import Path

from msgspec import Struct

from ledger.tenants import store
from services.runtime.administration import administering, operator_name
from services.runtime.postgres import connect
from services.runtime.sandbox_file import read_sandbox, sandbox_path

_NAME = "Sandbox"
_REASON = "ledger up"


class Addresses(Struct, frozen=True, kw_only=True):
    """Where everything is, for those who read `sandbox.env`."""

    url: str
    kafka_bootstrap: str
    database_url: str
    vault_database_url: str | None


async def write_sandbox(home: Path, addresses: Addresses) -> Path:
    """Bring `sandbox.env` up to date, and make its merchant if the database has none."""
    path = sandbox_path(home)
    variables = read_sandbox(home)
    connection = await connect(addresses.database_url, "ledger-supervisor")
    try:
        if not await _still_valid(connection, variables):
            variables = await _make_merchant(addresses.database_url)
    finally:
        await connection.close()
    # A restart may have found other ports; the credentials stay.
    variables |= {
        "LEDGER_URL": addresses.url,
        "KAFKA_BOOTSTRAP": addresses.kafka_bootstrap,
        "DATABASE_URL": addresses.database_url,
    }
    if addresses.vault_database_url is None:
        variables.pop("VAULT_DATABASE_URL", None)
    else:
        variables["VAULT_DATABASE_URL"] = addresses.vault_database_url
    _write(path, variables)
    return path


async def _still_valid(connection: store.Connection, variables: dict[str, str]) -> bool:
    """Whether this database knows the credentials: LEDGER_DATABASE_URL may have changed."""
    api_key = store.split_api_key(variables.get("API_KEY", ""))
    if api_key is None or "TENANT_ID" not in variables:
        return False
    client = (variables.get("CLIENT_ID", ""), variables.get("CLIENT_SECRET", ""))
    for key_id, secret in (client, api_key):
        credential = await store.find_credential(connection, key_id)
        if credential is None or not credential.accepts(secret):
            return False
    return True


async def _make_merchant(dsn: str) -> dict[str, str]:
    async with administering(dsn, operator_name()) as administrator:
        merchant = await administrator.create_merchant(_NAME, _REASON)
        tenant_id = merchant.sandbox_tenant_id
        client, api_key = [
            await administrator.create_credential(tenant_id, store.MERCHANT_SCOPES, _REASON)
            for _ in range(2)
        ]
    return {
        "TENANT_ID": tenant_id,
        "CLIENT_ID": client.key_id,
        "CLIENT_SECRET": client.secret,
        "API_KEY": api_key.api_key(),
    }


def _write(path: Path, variables: dict[str, str]) -> None:
    order = (
        *("LEDGER_URL", "CLIENT_ID", "CLIENT_SECRET", "API_KEY"),
        *("KAFKA_BOOTSTRAP", "DATABASE_URL", "VAULT_DATABASE_URL", "TENANT_ID"),
    )
    lines = [f"{name}={shlex.quote(variables[name])}\n" for name in order if name in variables]
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(lines)
    unfinished.replace(path)
