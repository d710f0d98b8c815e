"""What a page does behind a person's back, written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass
class Watch:
    """Notes what none of our pages may do: speak elsewhere, complain, or leave something behind.

    `context` is what is watched, `welcome` the origins that may be spoken to. What Chromium blocks by the
    Content-Security-Policy it says on the console.
    """

    context: BrowserContext
    welcome: frozenset[str]
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("request", self._request)
        self.context.on("requestfailed", self._failed)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self._note("error", str(error.error)))
        self.context.on("page", self._page)

    def look(self) -> list[str]:
        """All that was noted, and what lies in the browser now."""
        left = self.context.storage_state(indexed_db=True)
        kept = [f"cookie: {cookie.get('name')}" for cookie in left.get("cookies", [])]
        kept += [f"storage: {origin.get('origin')}" for origin in left.get("origins", [])]
        for page in self.context.pages:
            if page.url.startswith("http") and page.evaluate("sessionStorage.length"):
                kept.append(f"session storage: {page.url}")
        return self.seen + kept

    def _request(self, request: Request) -> None:
        if origin_of(request.url) not in self.welcome:
            self._note("request elsewhere", request.url)

    def _failed(self, request: Request) -> None:
        # Whoever goes on before a page is complete calls off the rest of it.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"failed with {request.failure}", request.url)

    def _console(self, message: ConsoleMessage) -> None:
        # That the page itself is an error page is an answer, and no fault of the page.
        is_status = message.text.startswith("Failed to load resource: the server responded with")
        if not (is_status and message.page and message.location["url"] == message.page.url):
            self._note(f"console {message.type}", message.text)

    def _page(self, page: Page) -> None:
        page.on("dialog", lambda dialog: self._note("dialog", dialog.message))
        page.on("popup", lambda popup: self._note("popup", popup.url))

    def _note(self, what: str, detail: str) -> None:
        self.seen.append(f"{what}: {detail}")
