"""SQL statements: one a file, in the folder `sql` beside the module that sends them."""

from pathlib import Path


def load_statement(module_file: str, name: str) -> str:
    """The statement in `sql/<name>.sql` beside a module, given as its `__file__`."""
    return (Path(module_file).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
