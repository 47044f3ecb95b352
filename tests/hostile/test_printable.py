"""Text of a journal does nothing to a terminal but stand there."""

import json
import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given

from readers.text import printable, printable_bytes, printable_json

# Signs of Arabic and the like that stand before a number: they are seen, and change nothing else.
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
ACTING = [
    character
    for character in map(chr, range(0x110000))
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in SEEN
]
HIDING = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u3164\uffa0\U000e0100"
texts = st.text(st.characters(codec="utf-8") | st.sampled_from([*ACTING, *HIDING]))


def test_no_character_that_acts_or_hides_is_printed():
    """Controls, format characters, separators, surrogates, and what is there but cannot be seen."""
    shown = printable("".join(ACTING) + HIDING)

    assert not set(shown) & {*ACTING, *HIDING}


@given(texts)
def test_json_says_the_same_in_harmless_characters(text):
    """A program that reads the escapes has the very text."""
    document = json.dumps({text: text}, ensure_ascii=False).encode("utf-8", "ignore")

    shown = printable_json(document)

    assert json.loads(shown) == json.loads(document)
    assert not set(shown.decode()) & {*ACTING, *HIDING} - {"\n"}


@pytest.mark.parametrize(
    ("character", "shown"),
    [("\x1b", r"\x1b"), ("\x9b", r"\x9b"), ("\u202e", r"\u202e"), ("\U000e0041", r"\U000e0041")],
)
def test_a_character_is_shown_as_its_escape(character, shown):
    """As Python would write it."""
    assert printable(f"a{character}b") == f"a{shown}b"


@pytest.mark.parametrize("text", ["é", "日本", "👍🏽", "❤️", "a\u00a0b", "العربية", "e\u0301"])
def test_text_of_any_language_is_shown_as_it_is(text):
    """Only what acts or hides is taken out."""
    assert printable(text) == text


@given(st.binary(max_size=200))
def test_any_document_is_shown(document):
    """Whatever bytes they are; lines stay lines."""
    shown = printable_bytes(document).decode()

    assert not set(shown) & set(ACTING) - {"\n", "\t"}
    assert shown.count("\n") == document.decode("utf-8", "replace").count("\n")
