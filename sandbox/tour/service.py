"""The running service, called over HTTP as people and staff do."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from sandbox.language import present

PATIENCE_SECONDS = 5.0
KEPT_CALLS = 300


@dataclass(frozen=True)
class Answer:
    """The service's answer; `status` is None where there was none."""

    status: int | None
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: str | None = None  #: seconds

    @property
    def is_missing(self) -> bool:
        """Whether there was no answer."""
        return self.status is None


@dataclass(frozen=True)
class Call:
    """One call for a person, by them or by staff."""

    caller: str
    about: str
    method: str
    path: str
    status: int | None
    at: datetime


class Service:
    """The service at `url`. `token` is for the admin endpoints; `secrets_file` contains it."""

    def __init__(self, url: str, token: str, secrets_file: Path) -> None:
        self.url, self.secrets_file = url, secrets_file
        self.calls: deque[Call] = deque(
            maxlen=KEPT_CALLS
        )  #: the calls, without those that only read
        self._token = token

    def form(self, languages: str) -> Answer:
        """The texts of the sign-up form, in the first of these languages (as in Accept-Language)."""
        return self._ask("GET", "/", {"Accept-Language": languages})

    def sign_up(self, email: str, wording: str, languages: str) -> Answer:
        """Send the form, as a person does."""
        form = {"email": email} | ({"wording": wording} if wording else {})
        headers = {"Accept-Language": languages}
        return self._act("person", email, "/subscriptions", headers, data=form)

    def press(self, email: str, path: str) -> Answer:
        """Press the button of the page behind a link, as a person does."""
        return self._act("person", email, path, {"Accept-Language": present()})

    def data_path(self, path: str) -> str | None:
        """The link to the data on the page that a confirmation, pressed again, answers with: no JSON names it."""
        page = self._page("POST", path, {})
        found = re.search(r'href="([^"]+/my-data/[^"]+)"', page or "")
        return urlsplit(found[1]).path if found else None

    def proof(self, reference: str) -> str | None:
        """The proof of a consent as a page with its style sheets within; None if there is none."""
        page = self._page("GET", f"/admin/proofs/{reference}", self._staff)
        return page and re.sub(r'<link rel="stylesheet" href="([^"]+)">', self._style, page)

    def _style(self, link: re.Match[str]) -> str:
        return f"<style>{self._page('GET', link[1], {}) or ''}</style>"

    def erase(self, email: str) -> Answer:
        """Begin an erasure, as staff do."""
        return self._act("staff", email, "/admin/erasures", self._staff, json={"email": email})

    def access(self, email: str) -> Answer:
        """All data held about a person."""
        return self._ask("POST", "/admin/access", self._staff, json={"email": email})

    def erasure(self, id_: str) -> Answer:
        return self._ask("GET", f"/admin/erasures/{id_}", self._staff)

    @property
    def _staff(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Accept-Language": present()}

    def _act(
        self, caller: str, about: str, path: str, headers: dict[str, str], **body: object
    ) -> Answer:
        at = datetime.now(UTC)
        answer = self._ask("POST", path, headers, **body)
        self.calls.append(Call(caller, about, "POST", path, answer.status, at))
        return answer

    def _ask(self, method: str, path: str, headers: dict[str, str], **body: object) -> Answer:
        said = self._send(method, path, {"Accept": "application/json", **headers}, **body)
        if said is None:
            return Answer(None)
        return Answer(said.status_code, _object_in(said), said.headers.get("Retry-After"))

    def _page(self, method: str, path: str, headers: dict[str, str]) -> str | None:
        accepted = {"Accept": "text/html, text/css", "Accept-Language": present()}
        said = self._send(method, path, {**accepted, **headers})
        return said.text if said is not None and said.status_code == 200 else None

    def _send(
        self, method: str, path: str, headers: dict[str, str], **body: object
    ) -> requests.Response | None:
        with requests.Session() as session:
            session.trust_env = False  # a proxy cannot reach this machine's loopback
            try:
                return session.request(
                    method,
                    self.url + path,
                    headers=headers,
                    timeout=PATIENCE_SECONDS,
                    allow_redirects=False,
                    **body,  # type: ignore[arg-type]  # data or json
                )
            except requests.RequestException:
                return None


def _object_in(said: requests.Response) -> dict[str, Any]:
    try:
        body = said.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
