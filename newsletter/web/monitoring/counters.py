"""What the processes of `web` count by themselves: requests and webhook calls, and never whose they are."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from newsletter.web.monitoring.facts import Facts

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counters:
    """The counters of one application, or of all processes of a host where PROMETHEUS_MULTIPROC_DIR is set."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        requests = Histogram(
            "newsletter_http_request_duration_seconds",
            "Requests, and how long it took to answer them.",
            ("method", "endpoint", "status"),
            buckets=_SECONDS,
            registry=self._own,
        )
        self._requests_of = cache(requests.labels)  # its own look-up takes as long as counting
        self._webhooks = Counter(
            "newsletter_webhook_calls",
            "Mailchimp's webhook calls, by what they mean.",
            ("meaning",),
            registry=self._own,
        )

    def count_request(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        self._requests_of(method, endpoint, status).observe(seconds)

    def count_webhook(self, meaning: str) -> None:
        self._webhooks.labels(meaning).inc()

    def exposition(self) -> bytes:
        """All numbers in Prometheus's text format, the database's included."""
        everything = CollectorRegistry()
        try:
            MultiProcessCollector(everything)  # type: ignore[no-untyped-call]  # its own types have a gap
        except ValueError:
            # PROMETHEUS_MULTIPROC_DIR is not set.
            everything.register(self._own)
        everything.register(Facts())
        return generate_latest(everything)
