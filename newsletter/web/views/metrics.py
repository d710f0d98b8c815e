"""`/metrics`: numbers for Prometheus, for staff alone: they would tell strangers whether an address got a letter."""

from __future__ import annotations

from flask import Blueprint, Response
from werkzeug.exceptions import Unauthorized

from newsletter.web import monitoring
from newsletter.web.http import bearer
from newsletter.web.openapi.endpoint import TEXT, Endpoint

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
@Endpoint(
    "How the service is doing, as numbers for Prometheus: counts and ages, nothing about a person.",
    {200: (TEXT,)},
    ("unauthorized",),
    bearer="required",
    description="Without a valid token 401, always: also where no ADMIN_TOKENS are set.",
)
def show() -> Response:
    if bearer.actor() is None:
        raise Unauthorized(www_authenticate=bearer.REALM)
    text = monitoring.current().exposition()
    return Response(text, content_type=f"{TEXT}; version=0.0.4; charset=utf-8")
