"""Single values of a file of points: numbers, seconds and names, checked.

Each function raises `ValueError` with the reason why a value cannot be used.
"""

import math
from typing import Final

from gytbench.predictions.faults import quoted

MAX_NAME = 1_000
"""Characters of a name, an id or an address."""
MAX_SECOND = 10_000_000


class _Absent:
    """Stands for a key that a JSON object lacks."""


ABSENT: Final = _Absent()


def number(value: object) -> float | None:
    """A JSON number; None for null and for a key that is not there."""
    if value is None or value is ABSENT:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{shown(value)} is not a number{_hint(value)}")
    try:
        return _finite(float(value), value)
    except OverflowError:
        raise ValueError("the number is too large") from None


def text_number(value: object) -> float | None:
    """A number written out, as in CSV; None for an empty field."""
    text = str(value).strip()
    try:
        found = float(text)
    except ValueError:
        if not text or text.lower() == "null":
            return None
        raise ValueError(f"{quoted(text)} is not a number{_hint(text)}") from None
    # Python reads 1_000 too; no other program does.
    if "_" in text:
        raise ValueError(f"{quoted(text)} is not a number")
    return _finite(found, text)


def _finite(found: float, value: object) -> float:
    if not math.isfinite(found):
        raise ValueError(f"{shown(value)} is not a finite number; leave it empty (JSON: null)")
    return found


def required(found: float | None) -> float:
    """A number that must be there."""
    if found is None:
        raise ValueError("is missing; give a number")
    return found


def second(found: float | None) -> int:
    """A whole number of seconds."""
    if found is None:
        raise ValueError("the second is missing")
    if found != int(found):
        raise ValueError(f"{found:g} is not a whole second")
    if not 0 <= found <= MAX_SECOND:
        raise ValueError(f"second {found:g} is not from 0 to {MAX_SECOND:,}")
    return int(found)


def name(value: object) -> str:
    """A name or an id as text, "" for null; whole numbers are ids too."""
    if isinstance(value, str):
        text = value.strip()
    elif value is None or value is ABSENT:
        return ""
    elif isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        # Programs that know no empty integer write 3.0 for the id 3.
        text = f"{value:.0f}" if isinstance(value, float) else str(value)
    else:
        raise ValueError(f"{shown(value)} is not a name")
    if len(text) > MAX_NAME:
        raise ValueError(f"a name of {len(text):,} characters; {MAX_NAME:,} are the most")
    return text


def filled_name(value: object) -> str:
    """A name that must be there."""
    text = name(value)
    if not text:
        raise ValueError("is missing; give a name")
    return text


def shown(value: object) -> str:
    """A value in a message: short, and as JSON calls it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if value is None or value is ABSENT:
        return "null"
    return f"{value:.6g}" if isinstance(value, float) else f"{value}"[:100]


def _hint(value: object) -> str:
    """What to do about text in place of a number, where it can be guessed."""
    if not isinstance(value, str):
        return ""
    if value.strip().lower() in ("none", "na", "n/a", "-"):
        return "; leave it empty (JSON: null) where nothing is visible"
    try:
        found = float(value.replace(",", "."))
    except ValueError:
        return ""
    if not math.isfinite(found):
        return "; leave it empty (JSON: null) where nothing is visible"
    return "; write a decimal point" if "," in value else "; write it without quotes"
