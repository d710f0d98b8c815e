"""The hosted form, and sign-ups from it, from forms on other sites and from scripts.

The answer never reveals whether an address was known.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from newsletter.domain.address import Address
from newsletter.domain.consent import ConsentText
from newsletter.domain.errors import InvalidAddress, UnknownWording
from newsletter.domain.lifecycle import SignUp as SignUpAction
from newsletter.subscriptions import wording
from newsletter.subscriptions.sign_up import sign_up
from newsletter.texts import versions
from newsletter.web.http import bodies, errors, language, negotiation, origins
from newsletter.web.openapi.endpoint import BODY_PROBLEMS, JSON_OR_FORM, PAGE, Endpoint
from newsletter.web.schemas.public import Accepted, Form, SignUp, say

_PAGE = "pages/signup.html"
_HASH = re.compile(r"[0-9a-f]{64}")

bp = Blueprint("signup", __name__)


@bp.after_request
def _let_scripts_read(response: Response) -> Response:
    return origins.share(response) if request.endpoint == "signup.subscribe" else response


@bp.get("/")
@Endpoint(
    "The sign-up form; as JSON, the consent text that a form has to show.",
    {200: (PAGE, Form)},
    ("unavailable",),
    query=("next",),
)
def form() -> Response:
    """Show the form, or give a program the consent text for its own form."""
    consent = wording.current(language.present())
    if negotiation.wants_json():
        return say(Form(consent=consent.text, wording=consent.hash, language=consent.language))
    return _form(consent, next_url=request.args.get("next"))


@bp.post("/subscriptions")
@Endpoint(
    "Sign up. The answer is the same for every address.",
    {202: (Accepted,), 303: (PAGE,), 422: (PAGE,)},
    (
        *BODY_PROBLEMS,
        "invalid-address",
        "reserved-address",
        "unknown-wording",
        "too-many-requests",
        "unavailable",
    ),
    body=SignUp,
    media=JSON_OR_FORM,
    words={
        422: "For forms: the form again with the input; for programs: the reason.",
        303: "For forms: to `next`, or to the page `/inbox`.",
    },
)
def subscribe() -> Response:
    """Accept a sign-up; a form with an invalid address is shown again."""
    fields = bodies.fields()
    given = bodies.parse(SignUp, fields if request.is_json else {"email": "", **fields})
    language.use(given.locale)
    named, locale = _named(given), language.present()
    try:
        address = Address.parse(given.email)
    except InvalidAddress as invalid:
        consent = wording.offered(named, locale)
        if not negotiation.wants_page():
            raise
        return _form(consent, email=given.email, next_url=given.next, invalid=invalid)
    if given.is_from_machine:
        wording.offered(named, locale)
    else:
        template = versions.of_page(_PAGE, locale)
        action = SignUpAction(
            wording.offered_cached(named, locale),
            is_presumed=named is None,
            template=template if given.form == template else None,
        )
        sign_up(address, action)
    return _accepted(given)


@bp.get("/subscriptions", provide_automatic_options=False)
@Endpoint(
    "Leads to the form: where a page is loaded again that a form has answered.", {302: (PAGE,)}
)
def lead_to_form() -> Response:
    here = url_for("signup.form", locale=request.args.get("locale"))
    return make_response(redirect(here))


@bp.get("/inbox")
@Endpoint("The page after that form: please check your inbox.", {200: (PAGE,)})
def inbox() -> str:
    return render_template("pages/inbox.html")


def _named(given: SignUp) -> str | None:
    """The hash of the text that the form showed; None: it names none."""
    if given.wording and not _HASH.fullmatch(given.wording):
        raise UnknownWording
    return given.wording or None


def _accepted(given: SignUp) -> Response:
    if negotiation.wants_json():
        return say(Accepted(), 202)
    inbox_url = url_for("signup.inbox", locale=language.present())
    return make_response(redirect(origins.allowed_page(given.next) or inbox_url, 303))


def _form(
    consent: ConsentText,
    *,
    email: str = "",
    next_url: str | None,
    invalid: InvalidAddress | None = None,
) -> Response:
    page = render_template(
        _PAGE,
        consent=consent,
        version=versions.of_page(_PAGE, language.present()),
        email=email,
        error=errors.reason_of(invalid) if invalid else None,
        next_url=origins.allowed_page(next_url),
    )
    return make_response(page, 422 if invalid else 200)
