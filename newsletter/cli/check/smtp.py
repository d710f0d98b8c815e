"""The mail server: whether it answers over TLS, accepts user and password, and lets us send as MAIL_FROM."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from newsletter.cli.check.finding import Finding
from newsletter.cli.check.public_url import certificate_error
from newsletter.config import Settings, is_local
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mail.conversation import Patience
from newsletter.worker.mail.replies import Refused
from newsletter.worker.mail.smtp import SmtpPostbox, postbox_for

PATIENCE = Patience(connect=4.0, command=4.0, letter=8.0)

_PORTS = (
    "check host and port (smtps:// is mostly 465, smtp:// 587), and that no firewall is between"
)
#: By the whole reason of a failed delivery: what is wrong, and what to do.
_FAILED = {
    "connect": ("the mail server cannot be reached", _PORTS),
    "timeout": ("the mail server does not answer in time", _PORTS),
    "network": ("the mail server closes the connection", _PORTS),
    "tls": (
        "the mail server does not speak TLS in the way that smtp:// or smtps:// says",
        "use smtps:// only at port 465, and smtp:// elsewhere",
    ),
    "starttls_not_offered": (
        "the mail server offers no STARTTLS, and without it nothing is sent",
        "use its submission port or smtps://, or add ?starttls=optional if the network between is your own",
    ),
    "auth_without_tls": (
        "the password would cross the network unencrypted",
        "remove ?starttls=optional, or set ?starttls=never if the network between is your own",
    ),
    "auth_not_offered": (
        "the mail server offers no sign-in",
        "use its submission port, or remove user and password",
    ),
    "folder": (
        "without it e-mails go to var/mail/, which cannot be written to",
        "make that folder writable for the user that runs the worker, or name a mail server",
    ),
}
#: By the first word of the reason, the step that the server refused.
_REFUSED = {
    "connect": ("the mail server refuses this host", "have it accept e-mails from here"),
    "ehlo": (
        "the mail server refuses our greeting",
        "have it accept a host that greets with PUBLIC_URL's name",
    ),
    "starttls": ("the mail server refuses STARTTLS", "use smtps://, or ask its operator"),
    "auth": (
        "the mail server refuses user and password",
        "set the right ones (% is written as %25)",
    ),
    "letter_unsafe": (
        "no e-mail leaves, since one of its headers could be read as something else",
        "check MAIL_FROM, ORGANISATION, CONTACT_EMAIL and the subjects in BRAND_DIR",
    ),
}
#: At any other step, when it had an e-mail.
_OTHER = (
    "the mail server refuses e-mails",
    "check that SMTP_URL's user may send as MAIL_FROM, and read its log",
)


def findings(settings: Settings) -> Iterator[Finding]:
    """Why e-mails would not leave; none is sent."""
    yield from _unencrypted(settings)
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


def _unencrypted(settings: Settings) -> Iterator[Finding]:
    server = settings.smtp
    if server is None or server.implicit_tls or is_local(f"//{server.host}"):
        return
    if server.starttls != "required":
        yield Finding(
            "SMTP_URL",
            f"e-mails may cross the network unencrypted (starttls={server.starttls})",
            "remove ?starttls=, unless the network between is your own",
            is_hint=True,
        )


def _in_words(failure: DeliveryFailure) -> Finding:
    # The failure itself says only that it was TLS.
    if isinstance(cause := failure.__context__, ssl.SSLCertVerificationError):
        wrong, remedy = certificate_error(cause)
        return Finding("SMTP_URL", f"the mail server's certificate {wrong}", remedy)
    wrong, remedy = explained(failure.reason)
    return Finding("SMTP_URL", wrong, remedy)


def explained(reason: str) -> tuple[str, str]:
    """What is wrong, and what to do, where the mail server refuses all e-mails for this reason."""
    wrong, remedy = _FAILED.get(reason) or _REFUSED.get(reason.split(" ")[0], _OTHER)
    return f"{wrong} ({reason})", remedy


def _envelope(settings: Settings, postbox: SmtpPostbox) -> Iterator[Finding]:
    try:
        # Many servers check a sender only when a recipient is named.
        postbox.try_envelope(settings.sender.address.text, settings.contact_email)
    except DeliveryFailure as failure:
        yield from _refused(failure)


def _refused(failure: DeliveryFailure) -> Iterator[Finding]:
    is_passing = failure.meaning is Meaning.RETRY_LATER and not isinstance(failure, Refused)
    if is_passing or failure.reason.startswith("mail 4"):
        return  # such as greylisting, after which real e-mails are accepted
    if failure.meaning is Meaning.GIVE_UP_ONE:
        yield Finding(
            "CONTACT_EMAIL",
            f"the mail server refuses e-mails to that address ({failure.reason})",
            "set one that somebody reads",
        )
    elif failure.reason.split(" ")[1:2] == ["530"]:
        yield Finding(
            "SMTP_URL",
            f"the mail server requires a sign-in ({failure.reason})",
            "add user and password",
        )
    else:
        yield Finding(
            "MAIL_FROM",
            f"the mail server does not let us send as this address ({failure.reason})",
            "set one that SMTP_URL's user may send as, or allow it there",
        )
