"""Text from outside is shown as text; a browser test looks at what becomes of it on each page."""

from __future__ import annotations

import pytest

from pages.shared.plain import MOST, plain, sentence, short


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("![x](https://a.b)", "!\\[x\\](https:\u2060//a.b)"),
        ("[Log in](//a.b)", "\\[Log in\\](//a.b)"),
        ("www.a.b", "www\u2060.a.b"),
        ("<b>&amp;", "\\<b\\>\\&amp;"),
        ("mask_rcnn_s", "mask_rcnn_s"),
        ("_a_", "\\_a\\_"),
        (":material/home:", ":\u2060material/home:"),
        ("# a\n\n- b", "\u2060# a - b"),
        ("photo (1).jpg", "photo (1).jpg"),
    ],
)
def test_marks_lose_their_meaning(given: str, shown: str) -> None:
    assert plain(given) == shown


def test_it_is_one_line_of_at_most_80_characters() -> None:
    assert MOST == 80
    assert len(short("a" * 500)) == 80
    assert short("a\u202eb\x00\nc") == "a b c"
    quoted = sentence("The file “" + "a b " * 100 + "” and " + "c" * 300 + " are long.")
    assert len(quoted) < 220 and quoted.endswith("are long.")
