"""PostgreSQL: how it is connected to, and for how long it is waited for. Loaded only where it is used: 9 MB."""

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
    # A pooler in transaction mode hands statements prepared here to other sessions.
    "prepare_threshold": None,
    # A host that dies in the middle of a transaction must not keep its locks for hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
#: What the server itself ends: the wait for somebody's lock sooner than a request's time does.
_LIMITS = (
    "SET lock_timeout = '5s'; SET statement_timeout = '30s';"
    " SET idle_in_transaction_session_timeout = '60s'"
)
_READ_ONLY = "25006"


class TimedOut(psycopg.OperationalError):
    """The server did not answer in time."""


class Connection(psycopg.Connection[Any]):
    """A connection that waits no longer than there is time.

    What the server ends by itself does not help where the server stands still, nor do the limits of TCP: the
    kernel of a server's host goes on taking what is sent to a process that is stopped.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Take what the server answers; raise TimedOut, and close: what would still come belongs to nobody."""
        left = deadline.left()
        try:
            return super().wait(gen, interval, left if timeout is None else min(timeout, left))
        except errors._WaitTimeout:
            self.close()
            raise TimedOut from None


def listen(engine: Engine) -> None:
    """Have an engine connect in our way."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _limit)
    event.listen(engine, "checkout", _notice_hang_up)
    event.listen(engine, "handle_error", _leave_standby)


def _connect(
    _dialect: object, _record: object, positional: list[Any], named: dict[str, Any]
) -> Connection:
    # psycopg itself waits for two seconds at least.
    named["connect_timeout"] = max(1, int(min(deadline.left(), CONNECT_SECONDS)))
    try:
        return Connection.connect(*positional, **named)
    except errors.ConnectionTimeout as error:
        raise TimedOut from error


def _limit(connection: psycopg.Connection, _record: object) -> None:
    connection.execute(_LIMITS)
    connection.commit()


def _notice_hang_up(connection: psycopg.Connection, *_: object) -> None:
    # A server that ended has said so on the line; asking it each time would take a round trip.
    line = select.poll()
    line.register(connection.pgconn.socket, select.POLLIN)
    if line.poll(0):
        raise InvalidatePoolError


def _leave_standby(context: ExceptionContext) -> None:
    # After a failover, the connections that we keep lead to what is no longer the primary.
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True
