"""The description in Swagger UI, which is not held to our rules of accessibility: its markup is not ours to mend.

It is for developers alone, and /openapi.json says the same.
"""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.windows import Open


def test_an_endpoint_can_be_read_and_tried_under_our_policy(open_window: Open) -> None:
    page = open_window()
    page.goto("/docs")

    page.locator("[data-path='/health']").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table")).to_contain_text('"status": "alive"')
