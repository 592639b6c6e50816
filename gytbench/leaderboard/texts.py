"""What text of strangers may hold: nothing that hides, reorders or poses as other text."""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

MAX_MARKS = 3
"""Combining marks on one letter: more of them cover the lines around it."""

_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Characters that show nothing although their category says that they do."""

_REFUSED = {
    "Cc": "a control character",
    "Cf": "an invisible or bidirectional character",
    "Cs": "half a character",
    "Co": "a private character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
    "Zs": "a space that is not the plain one",
}
_ADDRESS = re.compile(r"https://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
_MAX_HOST = 253
_HTTPS_PORT = 443


def text_faults(text: str, *, lines: bool = False) -> Iterator[str]:
    """What is wrong with text, each in words.

    lines: whether it may have several lines, and tabs in them.
    """
    if not text.strip():
        yield "is empty: write it, or leave the key out where it is optional"
        return
    allowed = "\n\t" if lines else ""
    if not lines and "\n" in text:
        yield "must be one line (in YAML, `>` and `|` add a line end, `>-` and `|-` do not)"
        text = text.replace("\n", " ")
    elif not lines and text != text.strip(" "):
        yield "begins or ends with a space"
    shown = {each: reason for each in text if each not in allowed and (reason := _refused(each))}
    for each, reason in sorted(shown.items())[:5]:
        yield f"holds {reason}, U+{ord(each):04X}"
    if not unicodedata.is_normalized("NFC", text):
        yield "is not in the Unicode form NFC: an accented letter must be one character"
    if _piled(text):
        yield f"has more than {MAX_MARKS} combining marks on one letter"


def _refused(each: str) -> str | None:
    """What a character is where text may not hold it."""
    if " " <= each <= "~":
        return None
    return "an invisible character" if each in _INVISIBLE else _REFUSED.get(_category(each))


def _category(each: str) -> str:
    return unicodedata.category(each)


def _piled(text: str) -> bool:
    """Whether combining marks are piled up, or stand on nothing."""
    marks = 0
    for at, each in enumerate(text):
        marks = marks + 1 if each > "~" and _category(each).startswith("M") else 0
        if marks > MAX_MARKS or (marks and at == 0):
            return True
    return False


def address_faults(address: str) -> Iterator[str]:
    """What is wrong with an https address, each in words."""
    if not address.startswith("https://"):
        yield "must begin with https://"
        return
    # Before it is taken apart: the parser drops line ends, and reads \ unlike a browser does.
    if not _ADDRESS.fullmatch(address):
        yield "is no address: it may hold ASCII letters, digits and -._~:/?#[]@!$&'()*+,;=% alone"
        return
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        yield "is no address"
        return
    if "@" in parts.netloc:
        yield "must hold no user name and no password"
    if port not in (None, _HTTPS_PORT) or parts.netloc.endswith(":"):
        yield "must name no port: https has its own"
    host = host_of(parts)
    if not _HOST.fullmatch(host) or len(host) > _MAX_HOST or host.rpartition(".")[2].isdigit():
        yield f"needs the full name of a host, such as example.org, not {host[:60]!r}"


def host_of(parts: SplitResult) -> str:
    """The host of an address, in small letters, without the dot that may end it."""
    return (parts.hostname or "").removesuffix(".")
