"""The mailbox's pages: all letters, and one of them."""

from __future__ import annotations

from flask import Flask, abort, render_template

from sandbox.mailbox import Mailbox


def add_to(app: Flask, mailbox: Mailbox) -> None:
    """Pages that show a mailbox."""

    @app.get("/mailbox")
    def letters() -> str:
        newest = list(enumerate(list(mailbox.letters), start=1))[::-1]
        return render_template("mailbox.html", letters=newest)

    @app.get("/mailbox/<int:number>")
    def letter(number: int) -> str:
        if not 0 < number <= len(mailbox.letters):
            abort(404)
        found = mailbox.letters[number - 1]
        plain, html = found.body("plain"), found.body("html")
        return render_template("letter.html", letter=found, plain=plain, html=html)
