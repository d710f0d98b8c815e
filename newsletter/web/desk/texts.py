"""The sentences that people see, by name, so that a brand can replace them."""

from __future__ import annotations

from flask import current_app, render_template

from newsletter import config
from newsletter.texts import brand, sentences
from newsletter.web.desk.pages import bp


@bp.get("/texts")
def texts() -> str:
    return render_template(
        "desk/texts.html",
        sentences=list(sentences.shown(current_app.extensions[brand.REPLACED])),
        files=brand.whole_files(config.current()),
    )
