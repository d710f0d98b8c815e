"""Every sentence of the pages is listed at the desk by its name."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import ClientWith
from tests.web.desk.visitor import Visitor
from tests.web.snippets import Document


def test_sentences_are_listed_by_name_in_both_languages(staff: Visitor) -> None:
    page = Document(staff.opens("/desk/texts"))
    [entry] = [it for it in page.named("li") if it.words.startswith("youre-subscribed ")]

    assert entry.words == "youre-subscribed Anmeldung bestätigt You’re subscribed"


def test_html_in_a_sentence_is_shown_as_it_is_to_be_written(staff: Visitor) -> None:
    assert "&lt;a href=&#34;%(url)s&#34;&gt;Das war ich nicht&lt;/a&gt;" in staff.opens(
        "/desk/texts"
    )


def test_what_a_brand_replaces_is_marked(client_with: ClientWith, tmp_path: Path) -> None:
    (tmp_path / "texts.en.toml").write_text('youre-subscribed = "All done"', "utf-8")
    staff = Visitor(client_with(BRAND_DIR=str(tmp_path)))
    assert staff.signs_in().status_code == 303

    page = Document(staff.opens("/desk/texts"))
    [entry] = [it for it in page.named("li") if it.words.startswith("youre-subscribed ")]
    assert entry.words == "youre-subscribed Anmeldung bestätigt All done · ersetzt"
