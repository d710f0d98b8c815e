"""Browsers and programs, by the headers they send."""

from __future__ import annotations

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SITE = "https://www.example.com"
FROM_SITE = {"Origin": SITE}
EVIL = "https://evil.example"
