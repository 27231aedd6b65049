"""The house rules that no linter knows, held over every file of the repository."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = {"base", "common", "helper", "helpers", "manager", "managers", "util", "utils"}

# Spelled so that this file keeps the rules itself.
_UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")
_MACHINE_PATH = re.compile(r"(?<![\w.~-])/(work|root|farm)/")
_DECISION = re.compile(r"(?P<number>[0-9]{4})-[a-z0-9-]+\.md")
# What may hold a semicolon without ending a statement: comments, strings, quoted names.
_SQL_OPAQUE = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", re.DOTALL
)

_CHANGES = {"add", "append", "clear", "discard", "extend", "pop", "popleft", "remove", "update"}
_CHANGES |= {"insert", "popitem", "setdefault"}

_DRIVERS_ERRORS = {"InterfaceError", "InternalClientError"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def files() -> list[Path]:
    """Every file that is tracked, or would be if everything were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return sorted({path for path in paths if path.is_file()})


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


@cache
def text_of(path: Path) -> str | None:
    """The file's text; none if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def texts(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Name and text of each file that is text."""
    for path in paths:
        text = text_of(path)
        if text is not None:
            yield path.relative_to(ROOT).as_posix(), text


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{name}:{number}"
        for name, text in texts(paths)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def long_functions(source: str) -> list[tuple[str, int]]:
    """Functions that are too long, with their lines."""
    return [
        (node.name, lines)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and (lines := node.end_lineno - node.lineno + 1) > MAX_FUNCTION_LINES
    ]


def undocumented(source: str) -> list[str]:
    """Public functions, classes and methods without a docstring."""
    return list(_undocumented(ast.parse(source).body, ""))


def _undocumented(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _is_overload(node):
            yield f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node.body, f"{prefix}{node.name}.")


def _is_overload(node: Definition) -> bool:
    return any(
        isinstance(decorator, ast.Name) and decorator.id == "overload"
        for decorator in node.decorator_list
    )


def asserted_changes(source: str) -> list[int]:
    """The lines of assertions that do something, which they must not: they only look."""
    return [
        statement.lineno
        for statement in ast.walk(ast.parse(source))
        if isinstance(statement, ast.Assert)
        and any(_changes_something(node) for node in ast.walk(statement.test))
    ]


def _changes_something(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _CHANGES
    return isinstance(node, ast.Await | ast.NamedExpr)


def half_lists_of_errors(source: str) -> list[int]:
    """The lines that list one of the driver's own errors and leave out the other.

    A server may end a session before it closes the connection: who asks then hears
    `InternalClientError`, where otherwise it would have been `InterfaceError`.
    """
    lists: list[list[ast.expr]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Tuple):
            lists.append(node.elts)
        elif isinstance(node, ast.ExceptHandler) and node.type is not None:
            lists.append([node.type])
    return [
        listed[0].lineno
        for listed in lists
        if len(_DRIVERS_ERRORS & {_last_name(each) for each in listed}) == 1
    ]


def hidden_types(source: str) -> list[int]:
    """The lines of fields whose type a field hides: since Python 3.14 the field is taken for it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
            names = {each.target.id for each in fields if isinstance(each.target, ast.Name)}
            found += [
                each.lineno
                for each in fields
                for used in ast.walk(each.annotation)
                if isinstance(used, ast.Name) and used.id in names
            ]
    return found


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def statements(sql: str) -> int:
    """How many statements a piece of SQL holds."""
    plain = _SQL_OPAQUE.sub(lambda match: " " if match[0].startswith(("--", "/*")) else "x", sql)
    return sum(bool(part.strip()) for part in plain.split(";"))


def sql_files(*, migrations: bool) -> list[Path]:
    return [
        path
        for path in files()
        if path.suffix == ".sql" and (path.parent.name == "migrations") == migrations
    ]


def test_every_module_says_what_it_is() -> None:
    silent = [
        name
        for name, text in texts(python_files())
        if text.strip() and ast.get_docstring(ast.parse(text)) is None
    ]
    assert silent == []


def test_every_public_definition_has_a_docstring() -> None:
    silent = [
        f"{name}: {definition}"
        for name, text in texts(python_files())
        if not name.startswith("tests/")
        for definition in undocumented(text)
    ]
    assert silent == []


def test_no_file_is_too_long() -> None:
    long = [
        f"{name}: {len(text.splitlines())} lines"
        for name, text in texts(python_files())
        if len(text.splitlines()) > MAX_FILE_LINES
    ]
    assert long == []


def test_no_function_is_too_long() -> None:
    long = [
        f"{name}: {function} has {lines} lines"
        for name, text in texts(python_files())
        for function, lines in long_functions(text)
    ]
    assert long == []


def test_assertions_change_nothing() -> None:
    changing = [
        f"{name}:{line}"
        for name, text in texts(python_files())
        if not name.startswith("tests/")
        for line in asserted_changes(text)
    ]
    assert changing == []


def test_lists_of_errors_have_both_of_the_drivers_own() -> None:
    """Of most modules that means `postgres.LOST` or `postgres.UNUSABLE`."""
    half = [
        f"{name}:{line}"
        for name, text in texts(python_files())
        for line in half_lists_of_errors(text)
        if name != "tests/integration/test_sessions_that_end.py"
    ]
    assert half == []


def test_no_field_hides_a_type() -> None:
    hidden = [
        f"{name}:{line}" for name, text in texts(python_files()) for line in hidden_types(text)
    ]
    assert hidden == []


def test_nothing_is_left_unfinished() -> None:
    assert lines_with(_UNFINISHED, files()) == []


def test_nothing_names_a_path_of_one_machine() -> None:
    assert lines_with(_MACHINE_PATH, files()) == []


def test_no_module_or_package_has_a_vague_name() -> None:
    vague = {
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if VAGUE_NAMES & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
    }
    assert vague == set()


def test_every_sql_file_opens_with_a_comment() -> None:
    paths = [*sql_files(migrations=False), *sql_files(migrations=True)]
    silent = [name for name, text in texts(paths) if not text.startswith("-- ")]
    assert silent == []


def test_every_sql_file_holds_one_statement() -> None:
    wrong = [
        f"{name}: {count}"
        for name, text in texts(sql_files(migrations=False))
        if (count := statements(text)) != 1
    ]
    assert wrong == []


def test_migrations_are_numbered() -> None:
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in sql_files(migrations=True)
        if not re.fullmatch(r"[0-9]{4}_[a-z0-9_]+\.sql", path.name)
    ]
    assert wrong == []


def test_decision_records_are_numbered_without_a_gap() -> None:
    folder = ROOT / "docs" / "decisions"
    names = [path.name for path in files() if path.parent == folder and path.name != "README.md"]
    found = [_DECISION.fullmatch(name) for name in names]
    assert [name for name, match in zip(names, found, strict=True) if match is None] == []
    numbers = [int(match["number"]) for match in found if match is not None]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_rules_catch_what_breaks_them() -> None:
    """Each rule is shown something that breaks it, so that silence means something."""
    body = "    pass\n" * MAX_FUNCTION_LINES
    assert long_functions(f"async def f():\n{body}") == [("f", MAX_FUNCTION_LINES + 1)]
    source = (
        "class A:\n    def b(self): ...\n    def _c(self): ...\nclass _D:\n    def e(self): ...\n"
    )
    assert undocumented(source) == ["A", "A.b"]
    assert asserted_changes("assert a\nassert b.pop(c) == d\nassert (e := f)") == [2, 3]
    source = (
        "A = (OSError, x.InterfaceError)\nB = (x.InterfaceError, x.InternalClientError)\n"
        "try: ...\nexcept x.InternalClientError: ...\nexcept (OSError, ValueError): ...\n"
    )
    assert half_lists_of_errors(source) == [1, 4]
    source = "class A:\n    date: date | None\n    at: dt.date\n    def f(self, date: date): ...\n"
    assert hidden_types(source) == [2]
    assert _UNFINISHED.search("# " + "TO" + "DO: later")
    assert _MACHINE_PATH.search('"' + "/wo" + 'rk/x"')
    assert not _MACHINE_PATH.search("frame" + "/wo" + "rk/")


def test_statements_are_counted_past_strings_and_comments() -> None:
    assert statements("-- one; two\nSELECT ';', \";\", $a$;$a$ /* ; */ ;\n") == 1
    assert statements("SELECT 'it''s; one'") == 1
    assert statements("SELECT 1; SELECT 2") == 2
    assert statements("-- nothing\n") == 0
