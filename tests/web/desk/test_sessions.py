"""Nothing of the desk is reached without signing in, and no session is stolen, prolonged, forged or seen elsewhere."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask, sessions

from tests.conftest import ClientWith, Clock
from tests.people import STAFF_TOKEN
from tests.web.callers import BROWSER, EVIL
from tests.web.desk.visitor import Visitor, is_sent_away

TOKENS = f"dpo:{STAFF_TOKEN},support:a-token-that-only-sees:read"
HTTPS = {
    "PUBLIC_URL": "https://news.example.com",
    "SMTP_URL": "smtp://mail.example.com",
    "ADMIN_TOKENS": TOKENS,
}


def cookie_of(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("desk", path="/desk")
    assert cookie is not None
    return cookie.value


def test_nothing_of_the_desk_is_reached_without_signing_in(app: Flask, stranger: Visitor) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/desk")]
    assert len(rules) >= 5

    for rule in rules:
        if rule.endpoint in ("desk.sign_in", "desk.begin"):
            continue
        path = re.sub(r"<[^>]+>", "x" * 32, rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = stranger.client.open(path, method=method, headers=BROWSER)
            assert is_sent_away(answer), rule.rule
            assert "Set-Cookie" not in answer.headers


def test_a_bearer_token_is_no_session(stranger: Visitor) -> None:
    bearer = {"Authorization": f"Bearer {STAFF_TOKEN}"}

    assert is_sent_away(stranger.client.get("/desk", headers={**BROWSER, **bearer}))


def test_without_tokens_there_is_no_desk(client_with: ClientWith) -> None:
    visitor = Visitor(client_with(ADMIN_TOKENS=""))

    for path in ("/desk", "/desk/sign-in", "/desk/waiting", "/desk/nowhere"):
        visitor.opens(path, status=404)


def test_signing_in_opens_the_desk_and_signing_out_shuts_it(staff: Visitor) -> None:
    assert "dpo" in staff.opens("/desk")

    assert is_sent_away(staff.sends("/desk/sign-out"))
    assert is_sent_away(staff.client.get("/desk", headers=BROWSER))


@pytest.mark.parametrize(
    "token", ["", "wrong", STAFF_TOKEN.upper(), "dpo", f"dpo:{STAFF_TOKEN}", "ö\ud800"]
)
def test_a_wrong_token_opens_nothing(stranger: Visitor, token: str) -> None:
    answer = stranger.signs_in(token.encode("utf-8", "replace").decode())

    assert answer.status_code == 403
    assert 'aria-invalid="true"' in answer.text
    assert is_sent_away(stranger.client.get("/desk", headers=BROWSER))


def test_guessing_is_slowed_together_with_the_admin_endpoints(stranger: Visitor) -> None:
    for _ in range(5):
        stranger.signs_in("wrong")
        stranger.client.post("/admin/access", headers={"Authorization": "Bearer wrong"})

    assert stranger.signs_in().status_code == 429
    assert is_sent_away(stranger.client.get("/desk", headers=BROWSER))


def test_the_cookie_is_for_the_desk_alone_and_out_of_reach_of_scripts(stranger: Visitor) -> None:
    set_cookie = stranger.signs_in().headers["Set-Cookie"]

    assert re.fullmatch(
        r"desk=[^;]+; Expires=[^;]+; HttpOnly; Path=/desk; SameSite=Strict", set_cookie
    )


def test_with_https_the_cookie_is_secure(client_with: ClientWith) -> None:
    client = client_with(**HTTPS)

    set_cookie = client.get("/desk/sign-in", headers=BROWSER).headers["Set-Cookie"]
    assert set_cookie.startswith("__Secure-desk=")
    assert "; Secure; HttpOnly; Path=/desk; SameSite=Strict" in set_cookie


def test_under_a_path_the_cookie_is_for_the_desk_there(client_with: ClientWith) -> None:
    client = client_with(PUBLIC_URL="http://localhost:8000/news")

    assert "Path=/news/desk;" in client.get("/news/desk/sign-in").headers["Set-Cookie"]


@pytest.mark.parametrize(
    "path", ["/", "/my-data", "/ready", "/openapi.json", "/desktop", "/nowhere"]
)
def test_no_other_page_sets_a_cookie_or_reads_it(staff: Visitor, path: str) -> None:
    cookie = {"Cookie": f"desk={cookie_of(staff)}"}

    answer = staff.client.get(path, headers={**BROWSER, **cookie})
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_no_token_is_in_the_cookie(app: Flask, staff: Visitor) -> None:
    with app.app_context():
        serializer = sessions.SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    kept = serializer.load_payload(cookie_of(staff).rpartition(".")[0].rpartition(".")[0].encode())

    assert STAFF_TOKEN not in str(kept)
    assert set(kept) <= {"_user_id", "_fresh", "_permanent", "csrf_token", "since"}


def test_a_session_ends_after_eight_hours_however_busy_it_is(clock: Clock, staff: Visitor) -> None:
    for _ in range(7):
        clock.shift(timedelta(hours=1))
        staff.opens("/desk?locale=en")
        staff.opens("/desk?locale=de")
    clock.shift(timedelta(minutes=59))
    staff.opens("/desk/waiting")
    clock.shift(timedelta(minutes=1))

    assert is_sent_away(staff.client.get("/desk/waiting", headers=BROWSER))


@pytest.mark.parametrize("tokens", ["dpo:another-token", f"support:{STAFF_TOKEN}"])
def test_a_session_ends_with_its_token(
    client_with: ClientWith, staff: Visitor, tokens: str
) -> None:
    other = client_with(ADMIN_TOKENS=tokens)
    other.set_cookie("desk", cookie_of(staff), path="/desk")

    assert is_sent_away(other.get("/desk", headers=BROWSER))


def test_a_session_outlives_a_restart_and_ends_with_a_new_secret_key(
    client_with: ClientWith, staff: Visitor
) -> None:
    again = client_with()
    again.set_cookie("desk", cookie_of(staff), path="/desk")
    assert again.get("/desk", headers=BROWSER).status_code == 200

    without = client_with(SECRET_KEY="another-key-of-more-than-32-characters")
    without.set_cookie("desk", cookie_of(staff), path="/desk")
    assert is_sent_away(without.get("/desk", headers=BROWSER))


def test_a_forged_cookie_opens_nothing(client_with: ClientWith, staff: Visitor) -> None:
    payload, _, rest = cookie_of(staff).partition(".")
    for forged in (f"{payload}.{rest[:-3]}abc", f"{payload[:-2]}xx.{rest}", "x", "", payload):
        stranger = client_with()
        stranger.set_cookie("desk", forged, path="/desk")
        assert is_sent_away(stranger.get("/desk", headers=BROWSER))


def test_the_session_before_signing_in_is_not_the_one_after(stranger: Visitor) -> None:
    """Whoever planted a cookie before knows nothing of the session that then begins."""
    stranger.opens("/desk/sign-in")
    planted, csrf = cookie_of(stranger), stranger.csrf
    stranger.sends("/desk/sign-in", token=STAFF_TOKEN)
    assert cookie_of(stranger) != planted

    assert stranger.sends("/desk/sign-out", csrf_token=csrf).status_code == 400
    stranger.client.set_cookie("desk", planted, path="/desk")
    assert is_sent_away(stranger.client.get("/desk", headers=BROWSER))


@pytest.mark.parametrize("token", ["", "x", "IjAi.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"])
def test_a_form_without_its_code_does_nothing(staff: Visitor, token: str) -> None:
    assert staff.sends("/desk/sign-out", csrf_token=token).status_code == 400
    assert staff.client.post("/desk/sign-out", headers=BROWSER).status_code == 400
    staff.opens("/desk")


def test_nobody_is_signed_in_by_another_sites_form(stranger: Visitor) -> None:
    stranger.opens("/desk/sign-in")

    answer = stranger.client.post("/desk/sign-in", data={"token": STAFF_TOKEN}, headers=BROWSER)
    assert answer.status_code == 400
    assert is_sent_away(stranger.client.get("/desk", headers=BROWSER))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_from_another_site_does_nothing_even_with_its_code(
    staff: Visitor, site: str
) -> None:
    headers = {**BROWSER, "Sec-Fetch-Site": site, "Origin": EVIL}

    answer = staff.client.post("/desk/sign-out", data={"csrf_token": staff.csrf}, headers=headers)
    assert answer.status_code == 400
    staff.opens("/desk")


def test_the_code_of_one_session_does_not_fit_another(
    client_with: ClientWith, staff: Visitor
) -> None:
    other = Visitor(client_with())
    other.signs_in()

    assert other.sends("/desk/sign-out", csrf_token=staff.csrf).status_code == 400


def test_a_token_that_only_sees_changes_nothing(client_with: ClientWith) -> None:
    visitor = Visitor(client_with(ADMIN_TOKENS=TOKENS))
    assert visitor.signs_in("a-token-that-only-sees").status_code == 303

    assert "nur zum Ansehen" in visitor.opens("/desk")
    for path in ("/desk/waiting/letters/x", "/desk/waiting/people/x"):
        assert visitor.sends(path, action="try").status_code == 403


def test_the_token_that_only_sees_is_not_its_setting(client_with: ClientWith) -> None:
    visitor = Visitor(client_with(ADMIN_TOKENS=TOKENS))

    assert visitor.signs_in("a-token-that-only-sees:read").status_code == 403


def test_the_language_that_was_chosen_stays(staff: Visitor) -> None:
    assert "<h1>Heute</h1>" in staff.opens("/desk")
    assert "<h1>Today</h1>" in staff.opens("/desk?locale=en")
    assert "<h1>Waiting</h1>" in staff.opens("/desk/waiting")


def test_the_pages_need_no_script_and_load_nothing_from_elsewhere(staff: Visitor) -> None:
    for path in ("/desk", "/desk/waiting"):
        page = staff.opens(path)
        assert not re.search(r"<script|\son\w+=|\sstyle=", page)
        loaded = re.findall(r'(?:src|href)="(https?:[^"]+)"', page)
        assert loaded == []
