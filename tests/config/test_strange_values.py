"""Every setting with strange values: what was meant is used in its right form, and all else is refused by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from newsletter.config import Settings, load
from newsletter.domain.errors import SettingsError
from tests.config.test_settings import KEY, ONLINE

SECRET = "any-text-of-more-than-32-characters"
OTHER = "another-text-of-more-than-32-characters"
HERE = str(Path(__file__).parent)
POSTGRES = "postgresql+psycopg"


class Refused(str):
    """What a refusal says, or a part of it."""


BLANK = Refused("must not hold a blank, a backslash or an invisible character")
PASSWORDS = Refused("in a password, write @ as %40, / as %2F, # as %23, ? as %3F")
NO_HOST = Refused("is no name of a host")
NO_USER = Refused("must not name a user")
SMTP_FORM = Refused("must look like smtp://user:password@host:port or smtps://…, at most with")
HIDDEN = Refused("holds an invisible character (U+200B): remove it")

PAGES: dict[str, object] = {
    " https://www.example.com/a/ \r\n": "https://www.example.com/a/",
    "\ufeffhttps://www.example.com\u200b": "https://www.example.com",
    "HTTPS://WWW.Example.COM:443/Größe?q=ä#ü": "https://www.example.com/Gr%C3%B6%C3%9Fe?q=%C3%A4#%C3%BC",
    "https://www.straße.de/a%20b": "https://www.xn--strae-oqa.de/a%20b",
    "https://www.example.com/a b": BLANK,
    "https://www.exam\u200bple.com/": BLANK,
    "https://www.example.com\\@evil.example": BLANK,
    "https://user:word@www.example.com/": NO_USER,
    "https://www.example.com:0/": Refused("is no URL"),
    '"https://www.example.com/"': Refused("must be a URL that begins with https://"),
    "www.example.com": Refused("must be a URL that begins with https://"),
    "javascript:alert(1)": Refused("must be a URL that begins with https://"),
}
BASES = {
    "https://bücher.example.com/news/\r": "https://xn--bcher-kva.example.com/news",
    "https://www.example.com/?a=b": Refused("must not have a query or a fragment"),
    "https://www.example.com/#top": Refused("must not have a query or a fragment"),
    "https://a b.example.com": BLANK,
    "https://user@www.example.com": NO_USER,
    "http://www.example.com": Refused("must begin with https:// unless it names localhost"),
}
TEXTS: dict[str, object] = {
    " Tischler\u00a0& Söhne \r\n": "Tischler & Söhne",
    "\ufeffTischler": "Tischler",
    "Tisch\u200bler": HIDDEN,
    "Tisch\x07ler": Refused("holds an invisible character (U+0007): remove it"),
    "Tischler \udce4": Refused("must be text in UTF-8"),
}
ONE_LINE = {**TEXTS, "Tischler\nSöhne": Refused("must be one line")}
TOPICS = {
    **TEXTS,
    "neuen\nWerkzeugen": "neuen Werkzeugen",
    "neuen Werkzeugen. ": "neuen Werkzeugen",
    "Kursen, Terminen usw.,": "Kursen, Terminen usw",
    "…": "…",
    ".": Refused("must complete the sentence"),
}
MAILBOXES: dict[str, object] = {
    " a@example.com\r\n": "a@example.com",
    "a@straße.de": "a@xn--strae-oqa.de",
    "a b@example.com": Refused("is no e-mail address"),
    "mailto:a@example.com": Refused("must be an e-mail address alone"),
    "grüße@example.com": Refused("must be an e-mail address alone"),
}
ASCII_SECRETS = {
    " Secret\r\n": "Secret",
    "Sec ret": Refused("must be ASCII without blanks"),
    "Sec\u200bret": Refused("must be ASCII without blanks"),
    "Sécret": Refused("must be ASCII without blanks"),
}
KEYS = {
    f" {SECRET}\r\n": (SECRET,),
    f"{SECRET} ,\t{OTHER},\r": (SECRET, OTHER),
    f"{SECRET},short": Refused("needs 32 characters or more in each key"),
    f"{SECRET} \udce4": Refused("must be text in UTF-8"),
}

#: By setting: each strange value, and the value that is used or what the refusal says.
STRANGE: dict[str, dict[str, object]] = {
    "SECRET_KEY": {**KEYS},
    "DATA_KEY": {**KEYS},
    "PORT": {" 8000\r\n": 8000, "80 00": Refused("must be a whole number from 1 to 65535")},
    "PUBLIC_URL": {
        **BASES,
        " http://localhost:8000/ ": "http://localhost:8000",
        "https://a_b.example.com": NO_HOST,
        "https://example.com/größe": Refused("must have a path of letters, digits and . _ ~ -"),
        "https://example.com//": "https://example.com",
    },
    "DATABASE_URL": {
        " postgres://u:p@db.example.com/news\r\n": f"{POSTGRES}://u:p@db.example.com/news",
        "postgresql://u:a/b#c?d@db/news": f"{POSTGRES}://u:a%2Fb%23c%3Fd@db/news",
        "postgresql://u:p%40ss@my_db:5433/news": f"{POSTGRES}://u:p%40ss@my_db:5433/news",
        "postgresql://u:p@bücher.example/news": f"{POSTGRES}://u:p@xn--bcher-kva.example/news",
        "postgresql://u:p@a,b/news?sslmode=require": f"{POSTGRES}://u:p@a,b/news?sslmode=require",
        "postgresql:///news?host=/run/postgresql": f"{POSTGRES}:///news?host=%2Frun%2Fpostgresql",
        "postgresql://u:p@[::1]:5432/news": f"{POSTGRES}://u:p@[::1]:5432/news",
        "postgresql://u:p@ss@db/news": PASSWORDS,
        "postgresql://u:p s@db/news": BLANK,
        "postgresql://u:p@d b/news": BLANK,
        "postgresql://u:p@db:port/news": Refused("is no database URL"),
        "postgresql://u:p@db/news?pgbouncer=true": Refused("leave it out: nothing here needs it"),
        "postgresql://u:p@db/news?schema=x": Refused("write options=-csearch_path%3D"),
        "postgresql://u:p@db/news?ssl=true": Refused("write sslmode=require"),
        "postgresql://u:p@db/news?connection_limit=1": Refused("leave it out"),
        "mysql://u:p@db/news": Refused("must begin with sqlite:/// or postgresql://"),
        "sqlite:////srv/my news.sqlite3\r": "sqlite:////srv/my news.sqlite3",
        "sqlite:////srv/news.sqlite3?mode=ro": Refused("must not have anything after"),
        f"sqlite:///{HERE}": Refused("must name a file"),
    },
    "ORGANISATION": {**ONE_LINE},
    "IMPRINT": {**TEXTS, "A \r\nB\\nC": "A\nB\nC"},
    "IMPRINT_EN": {**TEXTS},
    "CONTACT_EMAIL": {**MAILBOXES},
    "PRIVACY_URL": {**PAGES},
    "PRIVACY_URL_EN": {**PAGES},
    "PRIVACY_FILE": {
        f" {__file__}\r\n": Path(__file__),
        f"{HERE}/none": Refused("must name a text file in UTF-8 that can be read"),
        HERE: Refused("must name a text file in UTF-8 that can be read"),
        "/dev/null\u200b": Path("/dev/null"),
    },
    "PRIVACY_FILE_EN": {f" {__file__}\n": Path(__file__)},
    "TOPICS": {**TOPICS},
    "TOPICS_EN": {**TOPICS},
    "DEFAULT_LOCALE": {" DE\r": "de", "german": Refused("must be de or en")},
    "TIMEZONE": {" Europe/Vienna\r": "Europe/Vienna", "CET+1": Refused("is no time zone such as")},
    "AUTHORITY": {**ONE_LINE},
    "RECIPIENTS": {
        " Hoster\u00a0GmbH ,\r\nMail AG, ": ("Hoster GmbH", "Mail AG"),
        "Hos\u200bter": HIDDEN,
        "A\nB": Refused("must be one line"),
    },
    "HOME_URL": {**PAGES},
    "SMTP_URL": {
        " smtp://mail.example.com\r\n": ("mail.example.com", 587, None, None, "required"),
        "SMTPS://Mail.Example.com:465/": ("mail.example.com", 465, None, None, "required"),
        "smtp://mail.straße.de": ("mail.xn--strae-oqa.de", 587, None, None, "required"),
        "smtp://u@example.com:a/b#c?d@e:f@my_relay:25?starttls=never": (
            "my_relay",
            25,
            "u@example.com",
            "a/b#c?d@e:f",
            "never",
        ),
        "smtp://u:50%25%20off@[::1]": ("::1", 587, "u", "50% off", "never"),
        "smtp://u:a b@mail.example.com": SMTP_FORM,
        "smtp://u:p@mail example.com": SMTP_FORM,
        "smtp://u:p%0D%0A@mail.example.com": Refused("in ASCII (write % as %25)"),
        "smtp://u:passwört@mail.example.com": Refused("in ASCII (write % as %25)"),
        "smtp://u:100%ab@mail.example.com": Refused("in ASCII (write % as %25)"),
        "smtp://u@mail.example.com": SMTP_FORM,
        "smtp://mail.example.com:0": SMTP_FORM,
        "smtp://mail.example.com:65536": SMTP_FORM,
        "smtp://mail.example.com?tls=yes": SMTP_FORM,
        "mail.example.com:587": SMTP_FORM,
        "smtp://bü_cher.example.com": NO_HOST,
        f"smtp://{'a' * 64}.example.com": NO_HOST,
    },
    "MAIL_FROM": {
        " Muster <news@example.com>\r\n": "Muster <news@example.com>",
        "news@straße.de": "news@straße.de",
        "Muster news@example.com": Refused("must look like: Name <address>, on one line"),
        "Mus\u200bter <news@example.com>": Refused("must look like: Name <address>, on one line"),
    },
    "MAILCHIMP_API_KEY": {**ASCII_SECRETS, " 0123456789abcdef-us7\r\n": "0123456789abcdef-us7"},
    "MAILCHIMP_LIST_ID": {" a1b2c3\r\n": "a1b2c3", "a1 b2": Refused("letters and digits alone")},
    "MAILCHIMP_API_URL": {**BASES},
    "MAILCHIMP_WEBHOOK_SECRET": {
        " hook-secret\r\n": "hook-secret",
        "hook secret": Refused("must be letters, digits and . _ ~ - alone"),
    },
    "MAILCHIMP_SIGNING_SECRET": {**ASCII_SECRETS},
    "MAILCHIMP_SIGNUP_URL": {**PAGES},
    "ADMIN_TOKENS": {
        " dpo:Token ,\r\ndesk:Other\t": ("dpo:Token", "desk:Other"),
        "dpo:To ken": Refused("must look like name:token,name:token"),
    },
    "ALLOWED_ORIGINS": {
        " https://www.straße.de/ ,\r\nhttps://b.example:443": (
            "https://www.xn--strae-oqa.de",
            "https://b.example",
        ),
        "https://b.example/path": Refused("must be origins alone"),
        "*": Refused("must be a URL that begins with https://"),
    },
    "TRUSTED_PROXIES": {" 1\r": 1, "one": Refused("must be a whole number from 0 to 10")},
    "WEB_CONCURRENCY": {" 2\r": 2, "two": Refused("must be a whole number from 1 to 64")},
    "SMTP_CONNECTIONS": {" 4\r": 4, "four": Refused("must be a whole number from 1 to 20")},
    "LETTERS_PER_HOUR": {
        " 2000\r": 2000,
        "2,000": Refused("must be a whole number from 1 to 1000000"),
        "-1": Refused("must be a whole number from 1 to 1000000"),
    },
    "LINK_DAYS": {" 7\r": 7, "7 days": Refused("must be a whole number from 1 to 14")},
    "CLIENT_LIMIT": {" 20 per 10 minutes\r": "20 per 10 minutes", "OFF": "off"},
    "STORAGE_URI": {
        " redis://redis:6379/1\r\n": "redis://redis:6379/1",
        "rediss://:p%40ss@my_redis": "rediss://:p%40ss@my_redis",
        "memory": "memory://",
        "redis://:p/ss@redis": PASSWORDS,
        "redis://:p#ss@redis": PASSWORDS,
        "redis://:p ss@redis": BLANK,
        "redis://redis/news": Refused("may only add the database's number"),
        "redis://redis?tls=true": Refused("may only add ?ssl_cert_reqs="),
        "rediss://redis?ssl_cert_reqs=none": "rediss://redis?ssl_cert_reqs=none",
    },
    "LEDGER_CHECKPOINTS": {f" {HERE}\r\n": Path(HERE)},
    "BRAND_DIR": {f" {HERE}\r\n": Path(HERE), f"{HERE}/none": Refused("must name a folder")},
    "LOG_LEVEL": {" debug\r": "DEBUG", "chatty": Refused("must be DEBUG, INFO, WARNING or ERROR")},
}
CASES = [(name, value) for name, values in STRANGE.items() for value in values]


def of(name: str, settings: Settings) -> Any:
    """A setting as it is used, secrets in the clear."""
    if name == "SMTP_URL":
        server = settings.smtp
        assert server is not None
        password = server.password.get_secret_value() if server.password else None
        return server.host, server.port, server.user, password, server.starttls
    return revealed(getattr(settings, name.lower()))


def revealed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(revealed(each) for each in value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def test_every_setting_is_tried() -> None:
    assert STRANGE.keys() == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_strange_value_is_used_as_it_was_meant_or_refused(name: str, value: str) -> None:
    expected = STRANGE[name][value]
    environ = {**ONLINE, **KEY, "MAILCHIMP_API_URL": "https://api.example.com/3.0", name: value}

    if not isinstance(expected, Refused):
        assert of(name, load(environ)) == expected
        return
    with pytest.raises(SettingsError) as refused:
        load(environ)
    [problem] = [each for each in refused.value.problems if each.startswith(f"{name}: ")]
    assert expected in problem
    assert value.strip() not in problem
