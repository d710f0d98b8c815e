"""How the service is doing."""

from __future__ import annotations

from flask import render_template

from newsletter.rights import today as facts
from newsletter.storage.models import Step
from newsletter.texts.notice_words import words_of
from newsletter.web.desk.pages import bp


@bp.get("")
def today() -> str:
    return render_template(
        "desk/today.html", today=facts.today(), words_of=words_of, Step=Step, days=facts.DAYS
    )
