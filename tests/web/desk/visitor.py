"""Somebody at the desk, who sends forms as a browser does."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.people import STAFF_TOKEN
from tests.web.callers import BROWSER

#: The pages that name nobody, below /desk.
PAGES = ("", "/waiting", "/people", "/erasures", "/consent-texts", "/texts", "/import")
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """A browser at the desk."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.csrf = ""

    def opens(self, path: str, status: int = 200) -> str:
        """Open a page; its text."""
        answer = self.client.get(path, headers=BROWSER)
        assert answer.status_code == status, answer.text
        self._remember(answer)
        return answer.text

    def sends(self, path: str, **fields: str) -> TestResponse:
        """Send a form of the last page."""
        form = {"csrf_token": self.csrf, **fields}
        return self.client.post(path, data=form, headers=BROWSER)

    def presses(self, path: str, **fields: str) -> str:
        """Send a form of the last page; the page that it leads to."""
        answer = self.sends(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.opens(answer.headers["Location"])

    def signs_in(self, token: str = STAFF_TOKEN) -> TestResponse:
        """Sign in, and be on the first page."""
        self.opens("/desk/sign-in")
        answer = self.sends("/desk/sign-in", token=token)
        if answer.status_code == 303:
            self.opens("/desk")
        return answer

    def _remember(self, answer: TestResponse) -> None:
        found = _CSRF.search(answer.text)
        self.csrf = found[1] if found else self.csrf


def is_sent_away(answer: TestResponse) -> bool:
    """Tell whether an answer leads to the sign-in."""
    return answer.status_code == 303 and answer.headers["Location"].endswith("/desk/sign-in")
