"""How the service is doing."""

from __future__ import annotations

from flask import render_template

from newsletter.rights import today as facts
from newsletter.storage.models import Step
from newsletter.web.desk.pages import bp


@bp.get("")
def today() -> str:
    return render_template("desk/today.html", today=facts.today(), Step=Step, days=facts.DAYS)
