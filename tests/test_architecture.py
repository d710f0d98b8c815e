"""Promises of the whole house: they catch the next change's omission."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from newsletter.cli import migrate
from newsletter.config import Settings
from newsletter.storage.database import reading, writing
from newsletter.storage.models import db
from tests.conftest import both_databases

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "newsletter"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports_of(module: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def using(*names: str) -> set[str]:
    """The modules that import one of these, or what is in it."""
    return {
        module
        for module in MODULES
        for imported in imports_of(module)
        if imported.startswith(tuple(f"{name}." for name in names)) or imported in names
    }


#: Each room may import the rooms below it, never one above; rooms on one floor do not know each other.
FLOORS = [
    ["cli"],
    ["app"],
    ["web", "worker"],
    ["rights"],
    ["subscriptions"],
    ["ledger", "texts"],
    ["storage"],
    ["config"],
    ["domain"],
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(reversed(FLOORS)) for room in rooms}


def room_of(name: str) -> str:
    return name.split(".")[1]


def goes_up(module: str, imported: str) -> bool:
    rooms = room_of(module), room_of(imported)
    return (
        rooms[1] in FLOOR_OF and rooms[0] != rooms[1] and FLOOR_OF[rooms[1]] >= FLOOR_OF[rooms[0]]
    )


def test_imports_go_down() -> None:
    assert [
        (module, imported)
        for module in MODULES
        if module != "newsletter"
        for imported in imports_of(module)
        if imported.startswith("newsletter.") and goes_up(module, imported)
    ] == []


def test_modules_import_each_other_in_no_circle() -> None:
    arrows = {
        module: {name for name in imports_of(module) if name in MODULES} - {module}
        for module in MODULES
        if MODULES[module].name != "__init__.py"
    }
    TopologicalSorter(arrows).prepare()  # raises CycleError and names the circle


def test_the_rules_load_neither_flask_nor_sqlalchemy() -> None:
    script = (
        "import sys, newsletter.domain.lifecycle, newsletter.domain.address; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()

    assert not {"flask", "sqlalchemy"} & set(loaded)


def test_the_rules_read_nothing_but_what_they_are_given() -> None:
    rules = [module for module in MODULES if module.startswith("newsletter.domain")]

    assert using("os", "time", "random", "secrets", "socket") & set(rules) == set()


@pytest.mark.requires("R18")
def test_only_the_worker_and_the_check_speak_to_the_outside() -> None:
    outside = {"smtplib", "requests", "mailchimp_marketing", "socket", "urllib.request"}
    outside |= {"http.client", "dns", "redis", "sandbox", "tests"}
    allowed = ("newsletter.worker", "newsletter.cli.check")

    assert {module for module in using(*outside) if not module.startswith(allowed)} == set()


def naming(*names: str) -> set[str]:
    """The modules that have one of these names, dotted or not, anywhere in their code."""
    return {
        module
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in names
    }


def test_only_config_reads_the_environment() -> None:
    environment = "os.environ", "os.getenv"

    assert using(*environment) | naming(*environment) == {"newsletter.config.environment"}


def test_only_the_web_knows_the_request() -> None:
    knowing = using("flask.request", "flask.g", "flask.session")

    assert {module for module in knowing if not module.startswith("newsletter.web")} == set()


def test_there_is_one_clock() -> None:
    asked = "datetime.now", "datetime.utcnow", "date.today", "time.time", "datetime.today"

    assert naming(*asked) == {"newsletter.domain.clock"}


def assigns_status(node: ast.AST) -> bool:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    attributes = [part for target in targets for part in ast.walk(target)]
    return any(isinstance(part, ast.Attribute) and part.attr == "status" for part in attributes)


def test_one_function_alone_changes_a_status() -> None:
    writers = [
        (module, function.name)
        for module in MODULES
        for function in ast.walk(tree_of(module))
        if isinstance(function, ast.FunctionDef)
        and any(assigns_status(node) for node in ast.walk(function))
    ]

    assert [writer for writer in writers if "web" not in writer[0]] == [
        ("newsletter.subscriptions.transition", "_apply")
    ]


def test_the_example_environment_names_exactly_the_settings_there_are() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = [line.split("=")[0] for line in lines if line and not line.startswith("#")]

    # The one that is a comment there, since gunicorn ends with a traceback where it is empty.
    named.append("WEB_CONCURRENCY")
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.requires("R62")
def test_every_admin_endpoint_refuses_without_a_token(app: Flask, client: FlaskClient) -> None:
    endpoints = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin")]
    assert len(endpoints) >= 4

    for rule in endpoints:
        path = re.sub(r"<[^>]+>", "x" * 32, rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method)
            assert answer.status_code == 401, rule.rule
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@both_databases
def test_the_migrations_make_what_the_models_say(app: Flask) -> None:
    migrate.bind(app)
    with app.app_context():
        flask_migrate.check()


@pytest.mark.requires("R36")
@both_databases
def test_what_is_in_the_ledger_can_neither_be_changed_nor_deleted(app: Flask) -> None:
    statements = (
        "UPDATE ledger_row SET ref = ref",
        "UPDATE seal SET seal = seal",
        "DELETE FROM ledger_row",
        "DELETE FROM seal",
    )
    with app.app_context():
        _seal_something()

        for statement in statements:
            with pytest.raises(DBAPIError, match="append-only"), writing() as session:
                session.execute(text(statement))


def _seal_something() -> None:
    with writing() as session:
        session.execute(
            text("INSERT INTO ledger_row (id, at, ref, event) VALUES (1, :at, 'r', 'signup')"),
            {"at": "2026-03-01 12:00:00.000000"},
        )
        session.execute(
            text("INSERT INTO seal (position, row_id, seal, sealed_at) VALUES (1, 1, :seal, :at)"),
            {"seal": b"s", "at": "2026-03-01 12:00:00.000000"},
        )


@both_databases
def test_a_pool_of_connections_is_no_lock(app: Flask) -> None:
    with app.app_context(), reading(), db.engine.connect() as other:
        assert other.execution_options(only_reads=True).scalar(text("SELECT 1")) == 1


def test_every_module_says_what_its_subject_is() -> None:
    assert [module for module in MODULES if not ast.get_docstring(tree_of(module))] == []


def test_nothing_speaks_of_where_it_was_made() -> None:
    hosts = re.compile(r"://|find-links|index-url")
    tracked = [*ROOT.glob("requirements*.txt"), ROOT / "pyproject.toml"]

    assert [path.name for path in tracked if hosts.search(path.read_text("utf-8"))] == []
