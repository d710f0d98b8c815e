"""Calls Mailchimp through its own client, over connections that are reused, and turns all errors into DeliveryFailure.

The client's handling of answers is not reliable: an error without a body is returned like a success, a captive portal's
page is a str, a redirected PUT loses its body. So `Transport` checks every answer before the client sees it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import requests
from mailchimp_marketing.api_client import ApiClient, ApiClientError
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, SSLError
from urllib3.exceptions import MaxRetryError, NewConnectionError, ReadTimeoutError

from newsletter import __version__
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.storage.call_counts import CallCounter
from newsletter.worker.mailchimp import bounded

# It logs the path of each call, which contains Mailchimp's hash of an address.
logging.getLogger("urllib3.connectionpool").setLevel(logging.CRITICAL)


class Transport(ApiClient):  # type: ignore[misc]  # the client ships no types
    """The client's transport: no proxy, no .netrc, no redirect, no retry.

    `failure_of` returns the failure behind an answer that is no 2xx. `timeout`: seconds to connect, and for the whole
    call.
    """

    def __init__(
        self,
        api_key: str,
        api_url: str,
        *,
        timeout: tuple[float, float],
        failure_of: Callable[[requests.Response], DeliveryFailure],
    ) -> None:
        # With a server, the client would replace the word "server" anywhere in a URL.
        super().__init__({"api_key": api_key, "server": "", "timeout": timeout})
        self.host = api_url
        self.default_headers["User-Agent"] = f"newsletter/{__version__}"
        self._failure_of = failure_of
        self._auth = ("user", api_key)
        self._own = threading.local()
        self._sessions: list[requests.Session] = []
        self.calls = CallCounter("mailchimp")  #: of the answers' statuses
        self.answered_at: str | None = None  #: the Date header of the last answer

    def request(
        self, method: str, url: str, query_params: Any = None, headers: Any = None, body: Any = None
    ) -> requests.Response:
        """Make one call for the client; raise DeliveryFailure for all but a 2xx."""
        try:
            answer = bounded.ask(
                self._session(),
                self.timeout[1],
                method,
                url,
                params=query_params,
                data=None if body is None else json.dumps(body),
                headers=headers,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except Exception:
            self.calls.count("no_answer")
            raise
        self.calls.count(str(answer.status_code))
        self.answered_at = answer.headers.get("Date")
        if answer.status_code // 100 != 2:
            raise self._failure_of(answer)
        return answer

    def _session(self) -> requests.Session:
        """This thread's session: requests sessions are not thread-safe."""
        if not hasattr(self._own, "session"):
            session = self._own.session = bounded.new_session()
            session.auth = self._auth
            self._sessions.append(session)
        return cast("requests.Session", self._own.session)

    def close(self) -> None:
        """Close all connections; the next call opens a new one."""
        for session in self._sessions:
            session.close()


def call(function: Callable[..., Any], *about: object, **options: object) -> Any:
    """Call a function of the client; raise DeliveryFailure. What it returns may still be no JSON object."""
    try:
        return function(*about, **options)
    except ApiClientError as error:
        raise _failure_behind(error.text) from None


def _failure_behind(cause: object) -> DeliveryFailure:
    """The failure behind the client's only exception, by its cause, which may also be a bug of ours."""
    match cause:
        case DeliveryFailure():
            return cause
        case requests.ConnectTimeout():
            return DeliveryFailure(Meaning.RETRY_LATER, "timeout")
        case requests.Timeout() | requests.ConnectionError(args=[ReadTimeoutError()]):
            return DeliveryFailure(Meaning.RETRY_LATER, "timeout", outcome_unknown=True)
        case SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return DeliveryFailure(Meaning.HOLD_ALL, "tls")
        case requests.ConnectionError(args=[MaxRetryError(reason=NewConnectionError())]):
            return DeliveryFailure(Meaning.RETRY_LATER, "network")
        case requests.ConnectionError() | ChunkedEncodingError() | ContentDecodingError():
            return DeliveryFailure(Meaning.RETRY_LATER, "network", outcome_unknown=True)
        case _:
            return DeliveryFailure(Meaning.HOLD_ALL, f"client {type(cause).__name__}")
