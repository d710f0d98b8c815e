"""What watches over the other tests sees what no page of ours may do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.watch import Watch

URL = "https://example.com/page"
PAGE = "<!DOCTYPE html><title>A page</title>"


@pytest.mark.parametrize(
    ("html", "headers", "noted"),
    [
        (PAGE + "<img src=https://example.org/pixel.png>", {}, "request elsewhere"),
        (
            PAGE + "<p style='color: red'>",
            {"Content-Security-Policy": "style-src 'self'"},
            "console",
        ),
        (PAGE + "<script>console.log('here')</script>", {}, "console log: here"),
        (PAGE + "<script>nowhere()</script>", {}, "error: nowhere is not defined"),
        (PAGE, {"Set-Cookie": "known=1"}, "cookie: known"),
        (PAGE + "<script>localStorage.known = 1</script>", {}, "storage: https://example.com"),
        (PAGE + "<script>sessionStorage.known = 1</script>", {}, "session storage: "),
    ],
)
def test_what_no_page_may_do_is_noted(
    browser: Browser, html: str, headers: dict[str, str], noted: str
) -> None:
    context = browser.new_context()
    watch = Watch(context, frozenset({"https://example.com"}))
    context.route(
        "**/*",
        lambda route: route.fulfill(body=html, headers={"Content-Type": "text/html", **headers}),
    )

    context.new_page().goto(URL, wait_until="networkidle")

    seen = watch.look()
    context.close()
    assert any(noted in note for note in seen), seen
