"""Where figures and tables of the worked examples stand in docs/metrics.md."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from docs.figures import examples
from docs.figures.drawing import FIGURES, svg_of
from docs.figures.examples import Row

FOLDER: Final = Path(__file__).resolve().parent
PAGE: Final = FOLDER.parent / "metrics.md"

_TABLE = re.compile(r"(<!-- table (\S+) -->\n)(?:\|.*\n)*")


def tables() -> Mapping[str, str]:
    """The tables of the page by name, in Markdown."""
    worked = {name: getattr(examples, name)() for name in FIGURES}
    made: dict[str, str] = {}
    for name, example in worked.items():
        heads = ("", "IoU", "IoD") if name == "time" else ("", "made of", "value")
        made[name] = _markdown(heads, example.rows)
    averages = worked["time"].averages
    return made | {"averages": _markdown(("`--average`", "`iou`", "`iod`"), averages)}


def _markdown(heads: tuple[str, str, str], rows: Sequence[Row]) -> str:
    middle = "---:" if heads[1] != "made of" else "---"
    lines = [heads, ("---", middle, "---:"), *rows]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def filled(text: str) -> str:
    """The page with every table as the examples give it now."""
    made = tables()
    return _TABLE.sub(lambda match: match[1] + made[match[2]], text)


def update() -> None:
    """Write figures and tables."""
    for name in FIGURES:
        (FOLDER / f"{name}.svg").write_bytes(svg_of(name))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
