"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

# It asks nobody for anything, and needs neither a graphics card nor, as root, a sandbox.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def running() -> Iterator[Browser]:
    """A browser that has never been anywhere; its window has a new, empty profile."""
    program = _program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


def _program() -> str:
    """Where Chromium is; a missing one fails where everything is checked, and skips elsewhere."""
    given = os.environ.get("CHROMIUM")
    for program in [given] if given else ["/usr/bin/chromium", "chromium", "chromium-browser"]:
        if found := shutil.which(Path(program)):
            return str(found)
    missing = f"no Chromium at {given or '/usr/bin/chromium or on PATH'}: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)
