"""Texts of strangers, made fit to stand in a page or a BibTeX file."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from gytbench.leaderboard.submission import Submission

_MOST_MARKS: Final = 2
"""Combining marks on one letter: more would run into the lines around it."""
_KEPT: Final = "\n\t"


def visible(text: str) -> str:
    """The text with everything that is not seen shown as U+FFFD, and few marks on a letter.

    Control, bidirectional and zero-width characters could hide or turn around what
    stands beside them. Line ends and tabs stay.
    """
    made: list[str] = []
    marks = 0
    for letter in unicodedata.normalize("NFC", text):
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MOST_MARKS:
            continue
        hidden = category[0] == "C" and letter not in _KEPT
        made.append("\N{REPLACEMENT CHARACTER}" if hidden else letter)
    return "".join(made)


def shortened(text: str, most: int) -> str:
    """The text, cut where it is longer than `most` letters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def address(text: str) -> str:
    """The text where it is an https address that may be linked to, else nothing."""
    if re.search(r"[\s\x00-\x20\"'<>\\`{}|^]", text) or not text.isascii():
        return ""
    try:
        parts = urlsplit(text)
        public = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        return ""
    return text if public else ""


def authors(names: Iterable[str]) -> str:
    """Authors in one short line: the first three, and how many more there are."""
    given = [shortened(visible(name), 40) for name in names]
    more = len(given) - 3
    return ", ".join(given[:3]) + (f" and {more} more" if more > 0 else "")


def bibtex(entry: str, about: Submission) -> str:
    """The citation that the entry gives, else one made of what it says about itself."""
    if about.citation.strip():
        return visible(about.citation.strip())
    lines = [
        f"@misc{{{entry},",
        f"  title  = {{{_tex(about.system)}}},",
        f"  author = {{{' and '.join(map(_tex, about.authors))}}},",
        f"  year   = {{{_tex(about.date[:4])}}},",
    ]
    linked = address(about.paper) or address(about.code)
    if linked:
        lines.append(f"  url    = {{{linked}}},")
    return "\n".join([*lines, "}"])


_TEX: Final = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
} | {letter: f"\\{letter}" for letter in "{}$&#%_"}


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in visible(text))
