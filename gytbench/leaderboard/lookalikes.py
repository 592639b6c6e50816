"""Names that a reader would take for each other, whatever characters they are written in."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from gytbench.bounds import BOUNDS
from gytbench.errors import Fault
from gytbench.leaderboard.submission import FILE, Submission

_LIKE = {
    "\u0430\u03b1\u0251\u237a": "a",
    "\u0432\u03b2\u13f4\u0412\u0392": "b",
    "\u0441\u03f2\u2ca5\u1d04\u2ca4": "c",
    "\u0501\u13e7": "d",
    "\u0435\u0454\u04bd\u03b5\u0395\u0415": "e",
    "\u0584\u03dd": "f",
    "\u0261\u0581": "g",
    "\u04bb\u0570\u13c2\u043d\u041d\u0397\u03b7": "h",
    "1!|\u0456\u04cf\u0406\u04c0\u03b9\u0399\u0131\u2113\u01c0\u05c0\u05d5\u05df\u0627\u13a5": "l",
    "\u0458\u03f3\u0575": "j",
    "\u043a\u03ba\u041a\u039a": "k",
    "\u043c\u041c\u039c\u13b7": "m",
    "\u0578\u057c\u03c0\u043f\u039d": "n",
    "0\u043e\u03bf\u03c3\u0585\u041e\u039f\u2c9f\u0555\u05e1": "o",
    "\u0440\u03c1\u2ca3\u0420\u03a1": "p",
    "\u051b\u0563\u0566": "q",
    "\u0433\u1d26\u2c85": "r",
    "\u0455\u0405\u054f\u13da": "s",
    "\u0442\u03c4\u0422\u03a4\u13a2": "t",
    "\u03c5\u057d\u0446": "u",
    "\u03bd\u0475\u05d8\u0474\u13d9": "v",
    "\u0461\u051d\u0561\u03c9\u13b3": "w",
    "\u0445\u03c7\u0425\u03a7\u2cad": "x",
    "\u0443\u03b3\u04af\u0423\u03a5\u04ae\u0427": "y",
    "\u0396\u03b6\u13c3": "z",
    "\u0437\u04e1": "3",
}
"""Letters of other alphabets by the Latin letter that they look like."""

_LATIN_OF = {each: latin for group, latin in _LIKE.items() for each in group}
_LATIN_NAME = re.compile(r"LATIN\b.*?\b([A-Z])\b")
_ALONE = frozenset(("ARABIC", "ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "DESERET", "LISU"))
"""Alphabets that are not mixed with Latin letters but to deceive."""


def same_names(names: Sequence[str], submissions: Sequence[Submission]) -> list[Fault]:
    """A fault for each two entries whose systems have one name, or names that look alike.

    names, submissions: of the entries, in the same order. Compared are names without case,
    spaces, hyphens and accents, letters of other alphabets as the Latin ones that they look
    like; O and 0, and l, I and 1, count as one.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, submission in zip(names, submissions, strict=True):
        groups.setdefault(skeleton(submission.system), []).append((name, submission.system))
    return [
        _fault(*later, *first) for first, *others in groups.values() for later in sorted(others)
    ]


def _fault(name: str, own: str, other: str, theirs: str) -> Fault:
    how = "is also that of" if own == theirs else f"looks like {theirs!r}, that of"
    reason = f"the name {own!r} {how} the entry {other}; add what tells them apart"
    return Fault(f"{name}/{FILE}: $.system", reason, "same name")


@lru_cache(maxsize=4096)
def skeleton(name: str) -> str:
    """What is left of a name when all that looks alike is made equal."""
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(_letter(each) for each in plain)
    return letters.replace("rn", "m").replace("vv", "w")


def _letter(each: str) -> str:
    """What a character looks like: a small Latin letter, itself, or nothing."""
    kind = unicodedata.category(each)
    if kind[0] in "MZC" or kind in ("Pd", "Pc"):
        return ""
    if each in _LATIN_OF:
        return _LATIN_OF[each]
    found = _LATIN_NAME.match(unicodedata.name(each, ""))
    small = found[1].lower() if found else each.casefold()
    return "l" if small == "i" else _LATIN_OF.get(small, small)


def system_faults(name: str) -> Iterator[str]:
    """What is wrong with the name of a system by itself, each in words."""
    if not any(each.isalnum() for each in name):
        yield "holds no letter and no digit"
    used = {unicodedata.name(each, "?").split()[0] for each in name if each.isalpha()}
    for alphabet in sorted(used & _ALONE) if "LATIN" in used else ():
        yield f"mixes Latin letters with {alphabet.capitalize()} ones, which look alike"
    for bound in BOUNDS.values():
        if skeleton(name) == skeleton(bound.name):
            yield f"poses as {bound.name}, a {bound.kind} of the benchmark"
