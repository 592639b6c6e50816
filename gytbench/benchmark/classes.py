"""The classes that instances and predictions are scored under.

GroundingYouTube names 690 raw steps; they map onto the 512 classes of the
MiningYouTube dictionary (``annotations/classes.tsv``). Background is not a class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from gytbench.errors import InputError

_KINDS = ("mining512", "step")


def normalise_label(name: str) -> str:
    """The form that names compare in: stripped, lower case, underscores for spaces.

    Accented letters are composed (NFC), because the released files write them both ways.

    >>> normalise_label(" Crack eggs ")
    'crack_eggs'
    """
    label = name.strip().lower().replace(" ", "_")
    return label if label.isascii() else normalize("NFC", label)


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Which scored class a label stands for.

    `names` are the scored names by class index, `lookup` the index of every
    accepted label in normalised form.
    """

    kind: str
    """As it stands in the signature."""
    names: tuple[str, ...]
    lookup: Mapping[str, int]

    def index(self, label: str) -> int | None:
        """The class index of a step or class name; None where it is not known."""
        return self.lookup.get(normalise_label(label))

    def name_of(self, label: str) -> str | None:
        """The name that a step or class name is scored under; None where it is not known."""
        index = self.index(label)
        return None if index is None else self.names[index]

    def suggest(self, label: str) -> list[str]:
        """Up to three known labels that look like this one, the most alike first."""
        from difflib import get_close_matches

        return get_close_matches(normalise_label(label), self.lookup, n=3)


def read_classes(text: str, kind: str, where: Path) -> ClassMap:
    """The class map of a classes.tsv (columns step, class, class_index; one header line).

    `kind` "mining512" scores on its classes and accepts steps and classes as
    labels; "step" scores on its steps, sorted, and accepts only those. Raises
    `InputError` for another kind, and with the line of a row that cannot be used.
    """
    if kind not in _KINDS:
        raise InputError(f"no such class list: {kind!r}; known are {', '.join(_KINDS)}")
    rows = _rows(text, where)
    if kind == "step":
        steps = tuple(sorted(step for step, _, _ in rows))
        return ClassMap("step", steps, {step: index for index, step in enumerate(steps)})
    by_index = {index: name for _, name, index in rows}
    if sorted(by_index) != list(range(len(by_index))):
        raise InputError("class_index must count from 0 without gaps", where=str(where))
    names = tuple(by_index[index] for index in range(len(by_index)))
    # A step wins over a class of the same name: the annotators' word decides.
    lookup = {name: index for index, name in enumerate(names)}
    lookup |= {step: index for step, _, index in rows}
    return ClassMap("mining512", names, lookup)


def _rows(text: str, where: Path) -> list[tuple[str, str, int]]:
    """(step, class, class index) of every line, normalised and checked."""
    lines = text.splitlines()
    if not lines or lines[0].split("\t") != ["step", "class", "class_index"]:
        raise InputError("line 1 must be: step<TAB>class<TAB>class_index", where=str(where))
    rows: list[tuple[str, str, int]] = []
    seen: dict[str, int] = {}
    indices: dict[str, int] = {}
    names: dict[int, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        here = f"{where}: line {number}"
        fields = line.split("\t")
        if len(fields) != 3 or not fields[2].isdecimal() or len(fields[2]) > 6:
            raise InputError("not step<TAB>class<TAB>number", where=here)
        step, name, index = normalise_label(fields[0]), normalise_label(fields[1]), int(fields[2])
        if step in seen:
            raise InputError(f"step {step!r} stands in line {seen[step]} already", where=here)
        if indices.setdefault(name, index) != index:
            raise InputError(f"class {name!r} has index {indices[name]} already", where=here)
        if names.setdefault(index, name) != name:
            raise InputError(f"index {index} is that of class {names[index]!r}", where=here)
        seen[step] = number
        rows.append((step, name, index))
    return rows
