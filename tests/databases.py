"""PostgreSQL databases for the tests, each like a template: emptied after a test and used again; making one is slow."""

from __future__ import annotations

import time

import psycopg
from psycopg import sql

from tests import postgres

#: All that a test may have changed but rows: what is there, its columns, constraints, triggers, rights and settings.
_SCHEMA = """
SELECT md5(string_agg(told, E'\\n' ORDER BY told)) FROM (
    SELECT concat_ws(' ', c.relname, c.relkind, c.relowner, c.relacl, a.attname, a.atttypid, a.attnotnull) AS told
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat(pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT setconfig::text FROM pg_db_role_setting
) AS all_of_it
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_SEQUENCES = (
    "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
)


class Databases:
    """Those of one server; `template` has been released, and is left as it is."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._made = 0
        self._free: list[str] = []
        with psycopg.connect(f"{server}/{template}") as connection:
            self._schema = connection.execute(_SCHEMA).fetchone()
            self._sequences = connection.execute(_SEQUENCES).fetchall()
            tables = [name for (name,) in connection.execute(_TABLES)]
            self._rows = {name: _copied(connection, name) for name in tables}

    def take(self) -> str:
        """The name of a database that is like the template."""
        if self._free:
            return self._free.pop()
        self._made += 1
        name = f"{self._template}_{self._made}"
        with self._on_server() as server:
            postgres.copy(server, self._template, name)
        return name

    def give_back(self, name: str) -> None:
        """Make it like the template again, or drop it where a test has changed more than rows.

        Fail where somebody holds a connection to it yet, who would be told so in another test.
        """
        with self._on_server() as server:
            held = _still_held(server, name)
            if held or not self._is_renewed(name):
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                server.execute(drop.format(sql.Identifier(name)))
            else:
                self._free.append(name)
        assert not held, f"connections that nobody closed, last used for: {held}"

    def _is_renewed(self, name: str) -> bool:
        try:
            with psycopg.connect(f"{self._server}/{name}") as connection:
                if connection.execute(_SCHEMA).fetchone() != self._schema:
                    return False
                self._renew(connection)
        except psycopg.Error:
            return False
        return True

    def _renew(self, connection: psycopg.Connection) -> None:
        # Without triggers: the ledger's lets nobody delete, and foreign keys would ask for an order.
        connection.execute("SET session_replication_role = replica")
        for name, rows in self._rows.items():
            table = sql.Identifier(name)
            connection.execute(sql.SQL("DELETE FROM {}").format(table))
            if rows:
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
                    copy.write(rows)
        for name, last in self._sequences:
            connection.execute("SELECT setval(%s, %s, %s)", (name, last or 1, last is not None))

    def _on_server(self) -> psycopg.Connection:
        return psycopg.connect(f"{self._server}/postgres", autocommit=True)


def _copied(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(
        sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    ) as rows:
        return b"".join(rows)


def _still_held(server: psycopg.Connection, name: str) -> list[str]:
    """What connections to a database were last used for.

    Of what a process held that has just ended, the server hears a moment later.
    """
    query = "SELECT query FROM pg_stat_activity WHERE datname = %s"
    ends = time.monotonic() + 10
    while held := [last for (last,) in server.execute(query, (name,))]:
        if time.monotonic() > ends:
            break
        server.execute("SELECT pg_sleep(0.02)")
    return held
