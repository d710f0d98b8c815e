"""Connections to PostgreSQL and their time limits. Imported only where it is used: the driver takes 9 MB."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError

from newsletter.storage import deadline

CONNECT_SECONDS = 5
CONNECT_ARGS: dict[str, Any] = {
    "prepare_threshold": None,  # see `_set_up`
    # A host that fails in the middle of a transaction must not keep its locks for hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
#: Enforced by the server. Waiting for a lock ends before the time limit of a request.
_LIMITS = (
    "SET lock_timeout = '5s'; SET statement_timeout = '30s';"
    " SET idle_in_transaction_session_timeout = '60s'"
)
_PROCESS = "SELECT pg_backend_pid()"
#: A prepared sign-up takes less than half of the server's time, most of which is planning.
_USES_UNTIL_PREPARED = 5
_READ_ONLY = "25006"


class TimedOut(psycopg.OperationalError):
    """The server did not answer in time."""


class Connection(psycopg.Connection[Any]):
    """A connection that waits until the deadline at most.

    The server's own limits do not help where the server process is stopped, nor do those of TCP: the kernel of its
    host still accepts packets.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Raise TimedOut after closing: a late answer would be taken for that of the next query."""
        left = deadline.left()
        try:
            return super().wait(gen, interval, left if timeout is None else min(timeout, left))
        except errors._WaitTimeout:
            self.close()
            raise TimedOut from None


def listen(engine: Engine) -> None:
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "checkout", _discard_if_closed)
    event.listen(engine, "handle_error", _discard_if_read_only)


def _connect(
    _dialect: object, _record: object, positional: list[Any], named: dict[str, Any]
) -> Connection:
    named["connect_timeout"] = max(1, int(min(deadline.left(), CONNECT_SECONDS)))
    try:
        return Connection.connect(*positional, **named)
    except errors.ConnectionTimeout as error:
        raise TimedOut from error


def _set_up(connection: psycopg.Connection, _record: object) -> None:
    connection.execute(_LIMITS)
    # Behind a pooler in transaction mode, statements would be prepared in another session. A pooler has told us a
    # number of its own as that of the server's process.
    if connection.execute(_PROCESS).fetchone() == (connection.info.backend_pid,):
        connection.prepare_threshold = _USES_UNTIL_PREPARED
    connection.commit()


def _discard_if_closed(connection: psycopg.Connection, *_: object) -> None:
    # Something to read means that the server has closed the connection; a test query would cost a round trip each time.
    socket = select.poll()
    socket.register(connection.pgconn.socket, select.POLLIN)
    if socket.poll(0):
        raise InvalidatePoolError


def _discard_if_read_only(context: ExceptionContext) -> None:
    # After a failover, pooled connections lead to a server that is no longer the primary.
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True
