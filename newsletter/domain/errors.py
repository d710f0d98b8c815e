"""The errors that the service expects.

Every exception's docstring is its message. It contains no address, token or key, so that it may be logged and shown.
web/http/errors.py maps these to HTTP statuses.
"""

from __future__ import annotations

import inspect
from enum import StrEnum


class NewsletterError(Exception):
    """An expected error."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class SettingsError(NewsletterError):
    """The environment is incomplete or wrong; `problems` has one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class UnreleasedSchema(NewsletterError):
    """The database was made by a development state that was never released: name an empty one in DATABASE_URL."""


class InvalidAddress(NewsletterError):
    """This is not an e-mail address that a letter can be sent to."""


class ReservedAddress(InvalidAddress):
    """No e-mail reaches this domain: its ending is reserved (RFC 6761)."""


class UnknownWording(NewsletterError):
    """No such consent text is known, or it was withdrawn: load the form again and agree to the present one."""


class PresentWording(NewsletterError):
    """This is the text that the form shows now: change TOPICS or the template first, then withdraw it."""


class UnknownLink(NewsletterError):
    """The link was not made by this service, or was not copied whole."""


class UnknownDataLink(UnknownLink):
    """The link to somebody's own data was not made by this service, or was not copied whole."""


class OutdatedLink(NewsletterError):
    """The link was made by this service but no longer holds; `language` is that of whom it was sent to, if known."""

    def __init__(self, language: str | None = None) -> None:
        self.language = language
        super().__init__()


class ExpiredLink(OutdatedLink):
    """The link to somebody's own data or receipt has ended, or nothing is held of them any more."""


class NobodyKnown(NewsletterError):
    """Nobody is known by this address."""


class UnknownReference(NewsletterError):
    """No record under this reference number."""


class BlockedHard(NewsletterError):
    """The address is blocked for good, or its data is on hold: only staff can lift that."""


class WrittenTooOften(NewsletterError):
    """The address was written too often of late, so its owner cannot be asked: try again later."""


class CannotCorrect(NewsletterError):
    """The address cannot be corrected: it neither gets the newsletter nor waits for a confirmation."""


class UnreadableFile(NewsletterError):
    """The file cannot be taken over; `sentence` and `values` are why, for a translation."""

    def __init__(self, sentence: str, **values: object) -> None:
        self.sentence, self.values = sentence, values
        super().__init__(sentence % values)


class WrongPassphrase(NewsletterError):
    """The passphrase does not open the file, or the file was changed or cut off."""


class Unavailable(NewsletterError):
    """The database cannot be reached or is not ready; nothing was done, and the same call may be made again."""


class WrongDataKey(NewsletterError):
    """DATA_KEY: does not open this database's keyring."""


class LostKeyring(NewsletterError):
    """The database holds people, but no keys to them: restore the table `keyring` from a backup of this database."""


class Unreadable(NewsletterError):
    """A value in the database was damaged, or belongs to another row or keyring."""


class WrongDocument(NewsletterError):
    """The document is not signed, or what it says was changed after it was."""


class RestoredDatabase(NewsletterError):
    """The database is older than its checkpoints, or these are not seen: see docs/ledger.md."""


class NotBegun(NewsletterError):
    """A new file of checkpoints cannot be begun."""


class NotRestored(NewsletterError):
    """The ledger and its checkpoints do not fit together, so that nothing was restored."""


class Meaning(StrEnum):
    """What a failed delivery, of a letter or of a call to Mailchimp, means for the remaining work."""

    RETRY_LATER = "retry_later"  #: the same may succeed later: postpone this one
    GIVE_UP_ONE = "give_up_one"  #: it will never succeed for this person: give this one up
    REJECTED = "rejected"  #: this very call is refused, and nobody knows for how long: postpone it, try others alone
    HOLD_ALL = "hold_all"  #: the other side refuses us altogether: hold everything, use nothing up


class DeliveryFailure(NewsletterError):
    """A letter or a call to Mailchimp was not carried out.

    `reason` is a short code or a server's code, fit for a log and for staff: never an address.
    `outcome_unknown` is true where the other side may have carried it out all the same: after a time-out, ours or
    its gateway's, a dropped connection, or an answer that does not say.
    """

    def __init__(self, meaning: Meaning, reason: str, *, outcome_unknown: bool = False) -> None:
        self.meaning = meaning
        self.reason = reason
        self.outcome_unknown = outcome_unknown
        super().__init__(reason)


class UnsafeLetter(DeliveryFailure):
    """A letter that is not sent, since one of its headers could be read as something else.

    `header`: that header's name. To comes from the recipient's address, and this letter is given up; any other header
    comes from our settings and texts, and all letters wait until those are fixed.
    """

    def __init__(self, header: str) -> None:
        self.header = header
        meaning = Meaning.GIVE_UP_ONE if header == "To" else Meaning.HOLD_ALL
        super().__init__(meaning, f"letter_unsafe {header}")
