"""What is compiled once a process and not for each application, since nearly every test makes one."""

from __future__ import annotations

from types import CodeType
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from jinja2 import Environment, nodes
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule


class CompiledTemplates(BytecodeCache):
    """Jinja's templates."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what the same source was compiled to before."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        assert bucket.code is not None
        self._known[bucket.key, bucket.checksum] = bucket.code


def install() -> None:
    """Keep for the process what an application or an engine would compile for itself."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()}
    _keep_parsed()
    _keep_builders()
    _keep_statements()


def _keep_parsed() -> None:
    """Templates as they are parsed for what they include, each time that a version of them is named."""
    parse = Environment.parse
    kept: dict[Any, nodes.Template] = {}

    def parse_once(environment: Environment, source: str, *names: str | None) -> nodes.Template:
        key = tuple(environment.extensions), source, names
        if key not in kept:
            kept[key] = parse(environment, source, *names)
        return kept[key]

    Environment.parse = parse_once  # type: ignore[assignment]


def _keep_builders() -> None:
    """The functions that build URLs; they take four fifths of making an application."""
    compile_builder = Rule._compile_builder
    kept: dict[Any, Any] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = rule.rule, tuple(rule._trace), append_unknown
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = compile_once  # type: ignore[assignment]


def _keep_statements() -> None:
    """SQL: the same for all engines of one dialect; compiling it takes two thirds of executing it."""
    make_engine = SQLAlchemy._make_engine
    kept: LRUCache[Any, Any] = LRUCache(2000)

    def make_with_kept(self: SQLAlchemy, *args: Any, **options: Any) -> Engine:
        engine = make_engine(self, *args, **options)
        engine._compiled_cache = kept
        return engine

    SQLAlchemy._make_engine = make_with_kept  # type: ignore[method-assign]
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
