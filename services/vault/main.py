"""What the commands of `ledger vault` do, each said to the person who typed it."""

from collections.abc import AsyncIterable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from services.runtime.settings import Settings
from services.vault.backup import write_backup
from services.vault.key_store import Destruction
from services.vault.opening import open_parts
from services.vault.reconciliation import reconcile
from services.vault.restore import restore
from services.vault.rotation import rotate
from services.vault.schema import migrate_vault
from services.vault.setup import new_master_key_id

_NAME = "ledger-vault"


async def run_migrate(settings: Settings) -> list[str]:
    """Bring the key store's schema up to date."""
    applied, said = await migrate_vault(settings.require_vault_database_url())
    done = [f"applied {name}" for name in applied] or ["the schema is up to date"]
    return [*done, *said]


async def run_reconcile(settings: Settings, in_log: AsyncIterable[Destruction]) -> list[str]:
    """Destroy again what a restore brought back; `in_log` is every erasure of the log."""
    async with open_parts(settings, _NAME) as parts:
        done = await reconcile(parts.store, parts.destroyed, in_log)
    return [
        f"destroyed again  {done.destroyed_again}",
        f"added to list    {done.listed_from_store + done.listed_from_log}",
    ]


async def run_backup(settings: Settings, folder: Path) -> list[str]:
    """Write a backup, and remove old ones."""
    now = datetime.now(UTC)
    async with open_parts(settings, _NAME) as parts:
        made = await write_backup(parts.store, folder, now, settings.vault_backup_days)
    return [f"wrote {made.path} ({made.keys} keys)", *(f"removed {path}" for path in made.removed)]


async def run_restore(
    settings: Settings, path: Path, in_log: AsyncIterable[Destruction]
) -> list[str]:
    """Put back what is missing and was not destroyed."""
    async with open_parts(settings, _NAME) as parts:
        done = await restore(parts.store, parts.master_keys, parts.destroyed, path, in_log)
    return [
        f"put back       {done.put_back}",
        f"there already  {done.there_already}",
        f"destroyed      {done.destroyed} (not put back)",
    ]


async def run_rotation(settings: Settings) -> list[str]:
    """Wrap every key by a new master key."""
    console = Console(stderr=True)
    columns = (TextColumn("wrapping keys anew"), BarColumn(), MofNCompleteColumn())
    async with open_parts(settings, _NAME) as parts:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=None)

            def show(done: int, total: int) -> None:
                bar.update(task, completed=done, total=max(total, 1))

            new_id = new_master_key_id(datetime.now(UTC))
            done = await rotate(parts.store, parts.master_keys, new_id, show)
    said = [f"{done.rewrapped} keys wrapped anew; the master key is {done.active_id}"]
    if done.continued:
        said.append("this finished a rotation that was begun before; no key was added")
    if done.retired_ids:
        said.append(f"no key needs {', '.join(done.retired_ids)} any more: its line may be removed")
        said.append("a backup from before needs it still: make a new one, and keep the line as")
        said.append("long as you want to be able to restore an older one")
    return said
