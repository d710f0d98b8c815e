"""The mailbox's server: SMTP on loopback with aiosmtpd, and scripted replies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, Envelope, Session

from sandbox.replies import Script, ScriptedReply, Stage

ACCEPTED = "250 2.0.0 OK: kept"
LOGIN_DEMANDED = "530 5.7.0 Authentication required"
STOP_SECONDS = 60.0


class Handler:
    """Handles aiosmtpd's hooks: as scripted, or by keeping the letter."""

    def __init__(
        self,
        script: Script,
        *,
        demands_login: bool,
        greeted: Callable[[], None],
        keep: Callable[[Envelope], None],
    ) -> None:
        self.script = script
        self.greeted = greeted
        self.connections: set[Connection] = set()
        self._demands_login = demands_login
        self._keep = keep

    async def scripted(
        self, server: SMTP, stage: Stage, recipients: Sequence[str] = ()
    ) -> str | None:
        """Wait during a stall; then hang up or return the scripted reply, if any."""
        scripted = await self._next_reply(stage, recipients)
        if scripted is not None and scripted.reply is None:
            hang_up(server)
        return scripted.reply if scripted else None

    async def _next_reply(self, stage: Stage, recipients: Sequence[str]) -> ScriptedReply | None:
        if (stall := self.script.stalled(stage, recipients)) is not None:
            await asyncio.get_running_loop().run_in_executor(None, stall.wait)
        return self.script.take(stage, recipients)

    async def handle_AUTH(self, server: SMTP, *_: Any) -> Any:  # noqa: N802 - aiosmtpd's name
        return await self.scripted(server, "auth") or MISSING

    async def handle_MAIL(self, server: SMTP, session: Session, *_: Any) -> Any:  # noqa: N802
        if self._demands_login and not session.authenticated:
            return LOGIN_DEMANDED
        return await self.scripted(server, "mail") or MISSING

    async def handle_RCPT(self, server: SMTP, _: Session, __: Envelope, to: str, *___: Any) -> Any:  # noqa: N802
        return await self.scripted(server, "rcpt", [to]) or MISSING

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        scripted = await self._next_reply("data", envelope.rcpt_tos)
        if scripted is None or scripted.keeps or (scripted.reply or "").startswith("2"):
            self._keep(envelope)
        if scripted is None:
            return ACCEPTED
        return scripted.reply or hang_up(server)


def hang_up(server: SMTP) -> Any:
    """End the connection and its task without a reply."""
    if server.transport is not None:
        server.transport.abort()  # type: ignore[attr-defined]  # a plain or a TLS transport
    raise asyncio.CancelledError


class Connection(SMTP):
    """One conversation, which can be refused at its start."""

    event_handler: Handler

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.connections.discard(self)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        self.event_handler.greeted()
        reply = await self.event_handler.scripted(self, "connect")
        if reply is None:
            await super()._handle_client()
        else:
            await self.push(reply)
            assert self.transport is not None
            self.transport.close()


class Server(Controller):
    """Serves on a socket bound beforehand, so that a taken port is known at once."""

    handler: Handler

    def __init__(self, port: int, handler: Handler, **options: Any) -> None:
        # asyncio sends small replies at once only on sockets that name their protocol.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind(("127.0.0.1", port))
        except OSError:
            self._listener.close()
            raise
        host, port = self._listener.getsockname()
        super().__init__(handler, hostname=host, port=port, **options)

    def factory(self) -> SMTP:
        return Connection(self.handler, **self.SMTP_kwargs)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(
            self._factory_invoker, sock=self._listener, ssl=self.ssl_context
        )

    def stop(self, no_assert: bool = False) -> None:
        """End every conversation, then the server."""
        ended = asyncio.run_coroutine_threadsafe(self._end_all(), self.loop)
        ended.result(STOP_SECONDS)
        super().stop(no_assert)

    async def _end_all(self) -> None:
        if self.server is not None:
            self.server.close()
        while self.handler.connections:
            for connection in list(self.handler.connections):
                if connection.transport is not None:
                    connection.transport.abort()  # type: ignore[attr-defined]  # as in hang_up
            await asyncio.sleep(0)
