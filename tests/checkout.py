"""The commands beside this Python; they run the code of this checkout, not of another that happens to be installed."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "newsletter"


@cache
def command(name: str, folder: Path = Path(sys.executable).parent) -> str:
    """The path of a command, such as `newsletter`; fail where its Python finds another checkout or none."""
    path = folder / name
    python = re.search(r"/[^\"\n]*/python[\d.]*", path.read_text("utf-8"))
    assert python, f"{path} names no Python"
    found = subprocess.run(
        [python[0], "-c", "import newsletter; print(newsletter.__path__[0])"],
        cwd="/",
        env={},
        capture_output=True,
        text=True,
    )
    where = found.stdout.strip() or "nowhere"
    assert where == str(PACKAGE), f"{path} finds newsletter at {where}, not here: make setup"
    return str(path)
