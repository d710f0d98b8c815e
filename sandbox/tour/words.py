"""The codes of the service, explained for newcomers."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

STATUSES = {
    "pending": _("Signed up, not confirmed yet. Only the confirmation e-mail is sent."),
    "confirmed": _("The owner of the address confirmed. The newsletter may be sent."),
    "blocked": _("Unsubscribed or blocked. No newsletter is sent."),
    "returning": _("Blocked, signed up again, not confirmed yet. Still no newsletter."),
    "erasing": _("Deleted from the database; the deletion at Mailchimp is in progress."),
}

REASONS = {
    "unsubscribed": _("the person unsubscribed"),
    "complaint": _("the person reported spam"),
    "bounce": _("a newsletter bounced permanently"),
    "not_me": _("the owner of the address declared “This was not me”"),
    "staff": _("staff blocked the address permanently"),
    "rectified": _("the address was replaced by another one"),
    "removed_at_mailchimp": _("somebody removed the contact at Mailchimp"),
}

WHY = {
    "pending": _("somebody typed the address into the form"),
    "confirmed": _("the owner pressed the button behind the link in the e-mail"),
}

EVENTS = {
    "signup": _("Somebody typed the address into the form"),
    "mail_sent": _("The mail server accepted the e-mail"),
    "mail_failed": _("The mail server refused the e-mail permanently"),
    "confirmed": _("The owner pressed the button behind the link in the e-mail"),
    "blocked": _("No newsletter from now on"),
    "lifted": _("Unblocked: a new sign-up can end the block"),
    "disowned": _("The owner declared “This was not me”"),
    "rectified": _("The address was corrected"),
    "held": _("Processing was restricted (Art. 18)"),
    "released": _("The restriction ended"),
    "synced": _("Mailchimp acknowledged"),
    "sync_failed": _("Mailchimp refused"),
    "expired": _("Nobody confirmed in time"),
    "erased": _("Deleted"),
    "restored": _("Restored from a backup"),
    "imported": _("Taken over"),
}

AT_MAILCHIMP = {
    "absent": _("Mailchimp has never got this address."),
    "unknown": _("A call is in progress, or its answer was lost: the worker checks."),
    "subscribed": _("Mailchimp has it as subscribed."),
    "unsubscribed": _("Mailchimp has it as unsubscribed."),
    "awaiting": _("Mailchimp asks the person once more and waits for the answer."),
    "refused": _("Mailchimp does not let the service add this address."),
}

CONTACTS = {
    "subscribed": _("Gets the newsletter."),
    "unsubscribed": _("Gets no newsletter."),
    "pending": _("Mailchimp has sent a question of its own and waits for the answer."),
    "cleaned": _("Newsletters bounced; Mailchimp sends no more."),
    "archived": _("Archived by staff."),
}

PARTIES = {
    "person": _("person"),
    "staff": _("staff"),
    "service": _("service"),
    "worker": _("worker"),
    "mailbox": _("mailbox"),
    "Mailchimp": _("Mailchimp"),
}

STATES = {
    "pending": _("pending"),
    "completed": _("completed"),
    "done": _("done"),
    "waiting": _("waiting"),
    "failed": _("failed"),
}

PLACES = {
    "database": _("database"),
    "mailchimp": _("Mailchimp"),
    "database file": _("database file"),
}

CHAPTERS = (
    _("Sign up"),
    _("Confirm"),
    _("Unsubscribe at Mailchimp"),
    _("Come back"),
    _("Unsubscribe by your own link"),
    _("Be deleted"),
)

BUTTONS = {
    "sign-up": _("Sign up"),
    "confirm": _("Confirm the sign-up"),
    "unsubscribe-there": _("Unsubscribe at Mailchimp"),
    "answer-mailchimp": _("Answer Mailchimp"),
    "leave-by-link": _("Unsubscribe by your own link"),
    "erase": _("Delete this person"),
    "anew": _("Use another address"),
}
