"""The mail server: whether it is reached over TLS, takes the sign-in, and lets us send as MAIL_FROM."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from newsletter.cli.check import certificates
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings, is_local
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mail.conversation import Patience
from newsletter.worker.mail.replies import Refused
from newsletter.worker.mail.smtp import SmtpPostbox, postbox_for

PATIENCE = Patience(connect=4.0, command=4.0, letter=8.0)

_PORTS = "see that host and port are right (smtps:// is mostly 465, smtp:// 587) and no firewall is between"
#: By the whole reason: what is wrong, and what to do.
_FAILED = {
    "connect": ("the mail server cannot be reached", _PORTS),
    "timeout": ("the mail server does not answer in time", _PORTS),
    "network": ("the mail server breaks the connection off", _PORTS),
    "tls": (
        "the mail server does not speak TLS as this port and smtp:// or smtps:// say",
        "use smtps:// at port 465 alone, and smtp:// elsewhere",
    ),
    "starttls_not_offered": (
        "the mail server offers no STARTTLS, without which nothing is sent",
        "use its submission port or smtps://, or add ?starttls=optional if the network between is your own",
    ),
    "auth_without_tls": (
        "the password would cross the network in the clear",
        "leave ?starttls=optional out, or say ?starttls=never if the network between is your own",
    ),
    "auth_not_offered": (
        "the mail server takes no sign-in",
        "use its submission port, or leave user and password out",
    ),
    "smtp_url": (
        "its user, password or host cannot be sent to the mail server",
        "use ASCII alone, with special characters percent-encoded",
    ),
    "folder": (
        "without it letters go to var/mail/, which cannot be written to",
        "give that folder to the user that runs the worker, or set the mail server",
    ),
}
#: By the step at which the server said no, the reason's first word.
_REFUSED = {
    "connect": ("the mail server turns this host away", "let it take letters from here"),
    "ehlo": (
        "the mail server refuses our greeting",
        "let it take a host that greets with PUBLIC_URL's name",
    ),
    "starttls": ("the mail server refuses STARTTLS", "use smtps://, or ask who runs the server"),
    "auth": (
        "the mail server refuses user and password",
        "put the right ones into it, with special characters percent-encoded",
    ),
    "letter_unsafe": (
        "no letter leaves, since one of its headers could be read as something else",
        "look at MAIL_FROM, ORGANISATION, CONTACT_EMAIL and the subjects in BRAND_DIR",
    ),
}
#: At another step, as it looked at a letter.
_OTHER = (
    "the mail server takes no letters",
    "see that it lets SMTP_URL's user send as MAIL_FROM, and what its own log says",
)


def findings(settings: Settings) -> Iterator[Finding]:
    """What keeps letters from going out; no letter is sent."""
    yield from _in_the_clear(settings)
    postbox = postbox_for(settings, patience=PATIENCE)
    try:
        postbox.probe()
    except DeliveryFailure as failure:
        yield _in_words(failure)
    else:
        if isinstance(postbox, SmtpPostbox):
            yield from _envelope(settings, postbox)
    finally:
        postbox.close()


def _in_the_clear(settings: Settings) -> Iterator[Finding]:
    server = settings.smtp
    if server is None or server.implicit_tls or is_local(f"//{server.host}"):
        return
    if server.starttls != "required":
        yield Finding(
            "SMTP_URL",
            f"letters may cross the network in the clear (starttls={server.starttls})",
            "leave ?starttls= out, unless the network between is your own",
            is_hint=True,
        )


def _in_words(failure: DeliveryFailure) -> Finding:
    # What came first: the failure itself says only that it was TLS.
    if isinstance(cause := failure.__context__, ssl.SSLCertVerificationError):
        wrong, remedy = certificates.why(cause)
        return Finding("SMTP_URL", f"the mail server's certificate {wrong}", remedy)
    wrong, remedy = told_by(failure.reason)
    return Finding("SMTP_URL", wrong, remedy)


def told_by(reason: str) -> tuple[str, str]:
    """What is wrong, and what to do, where the mail server refuses us altogether for this reason."""
    wrong, remedy = _FAILED.get(reason) or _REFUSED.get(reason.split(" ")[0], _OTHER)
    return f"{wrong} ({reason})", remedy


def _envelope(settings: Settings, postbox: SmtpPostbox) -> Iterator[Finding]:
    try:
        # Many servers judge a sender only when the recipient is named.
        postbox.try_envelope(settings.sender.address.text, settings.contact_email)
    except DeliveryFailure as failure:
        yield from _refused(failure)


def _refused(failure: DeliveryFailure) -> Iterator[Finding]:
    is_passing = failure.meaning is Meaning.RETRY_LATER and not isinstance(failure, Refused)
    if is_passing or failure.reason.startswith("mail 4"):
        return  # such as greylisting, which real letters wait for
    if failure.meaning is Meaning.GIVE_UP_ONE:
        yield Finding(
            "CONTACT_EMAIL",
            f"the mail server takes nothing for that address ({failure.reason})",
            "set one that somebody reads",
        )
    elif failure.reason.split(" ")[1:2] == ["530"]:
        yield Finding(
            "SMTP_URL",
            f"the mail server wants a sign-in ({failure.reason})",
            "put user and password into it",
        )
    else:
        yield Finding(
            "MAIL_FROM",
            f"the mail server does not let us send as this address ({failure.reason})",
            "set one that SMTP_URL's user may send as, or allow it there",
        )
