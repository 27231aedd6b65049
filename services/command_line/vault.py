"""`ledger vault`: the customers' data keys, in a database of their own."""

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from services.command_line.options import by_option
from services.command_line.running import run_process, settings_now


@click.group()
def vault() -> None:
    """The customers' data keys, in their own database."""


@vault.command("migrate")
def migrate_vault() -> None:
    """Bring the key store's schema up to date."""
    from services.vault.main import run_migrate

    _maintain(run_migrate(settings_now()))


@vault.command("reconcile")
@by_option
def reconcile_vault(by: str | None) -> None:
    """Destroy again what a restore brought back.

    And remove what nobody needs any more.
    """
    from services.customers.vault_commands import run_reconcile

    _maintain(run_reconcile(settings_now(), by))


@vault.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup_vault(folder: Path) -> None:
    """Write a backup of the wrapped keys into FOLDER.

    Backups that are too old are removed.
    """
    from services.vault.main import run_backup

    _maintain(run_backup(settings_now(), folder))


@vault.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@by_option
def restore_vault(file: Path, by: str | None) -> None:
    """Put back keys of the backup FILE.

    Those that are missing, and were not destroyed.
    """
    from services.customers.vault_commands import run_restore

    _maintain(run_restore(settings_now(), file, by))


@vault.command("rotate-master-key")
@by_option
def rotate_master_key(by: str | None) -> None:
    """Add a master key, and wrap every data key by it.

    It may be stopped and repeated.
    """
    from services.customers.vault_commands import run_rotation

    _maintain(run_rotation(settings_now(), by))


def _maintain(work: Coroutine[Any, Any, list[str]]) -> None:
    """Run one of the vault's commands, and say what it says."""
    from services.customers.errors import CustomerCommandError
    from services.runtime.migrations import MigrationError
    from services.runtime.outages import DATABASE_FAILURES, VAULT_DATABASE, told
    from services.vault.errors import VaultError

    try:
        said = run_process("vault", work, logs=False)
    except (VaultError, CustomerCommandError, MigrationError) as error:
        raise click.ClickException(str(error)) from error
    except DATABASE_FAILURES as error:
        dsn = settings_now().require_vault_database_url()
        raise click.ClickException(told(error, dsn, VAULT_DATABASE)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if said is None:
        sys.exit(1)
    for line in said:
        click.echo(line)
