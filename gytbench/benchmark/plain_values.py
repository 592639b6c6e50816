"""What a pickle of annotations holds, checked piece by piece, with the place of a fault."""

from typing import Any, NamedTuple, NoReturn

import numpy as np

from gytbench.benchmark.data_files import DataFile
from gytbench.benchmark.model import Box
from gytbench.errors import InputError
from gytbench.plain_pickle import plain_array

MAX_PIXEL = 100_000.0
"""Far beyond any frame, and small enough that areas and their sums stay finite."""
MAX_LENGTH = 1_000_000
"""Entries of one list."""
MAX_TIME = 1_000_000
"""The last frame number that a video may have."""


class Value(NamedTuple):
    """A value of a pickle, and its place in the file."""

    content: Any
    file: DataFile
    place: str = ""

    def fail(self, reason: str) -> NoReturn:
        """Raise `InputError` for this value."""
        place = f": {self.place}" if self.place else ""
        raise InputError(reason, where=f"{self.file.path}{place}")

    def member(self, name: str) -> "Value":
        """A member of a dictionary by its name, which Python 2 may have written as bytes."""
        members = self._dictionary()
        key = name if name in members else name.encode()
        if key not in members:
            self.fail(f"the key {name!r} is missing")
        return Value(members[key], self.file, f"{self.place}.{name}".lstrip("."))

    def members(self) -> list[tuple[str, "Value"]]:
        """All members of a dictionary, in its order."""
        found: dict[str, Value] = {}
        for key, content in self._dictionary().items():
            name = Value(key, self.file, f"a key of {self.place or 'the file'}").text()
            if name in found:
                self.fail(f"the key {_shown(name)} stands twice")
            found[name] = Value(content, self.file, f"{self.place}[{_shown(name)}]")
        return list(found.items())

    def _dictionary(self) -> dict[Any, Any]:
        if not isinstance(self.content, dict):
            self.fail(f"must be a dictionary, not {_kind(self.content)}")
        return self.content

    def entries(self, most: int = MAX_LENGTH) -> list["Value"]:
        """The entries of a list or tuple; `InputError` for more than `most`."""
        if not isinstance(self.content, list | tuple):
            self.fail(f"must be a list, not {_kind(self.content)}")
        if len(self.content) > most:
            self.fail(f"holds {len(self.content):,} entries; at most {most:,} are read")
        return [
            Value(entry, self.file, f"{self.place}[{index}]")
            for index, entry in enumerate(self.content)
        ]

    def text(self) -> str:
        """A string that is not empty."""
        content = self.content
        if isinstance(content, bytes):
            content = content.decode("latin-1")
        if not isinstance(content, str) or not content.strip() or len(content) > 1000:
            self.fail("must be a text of 1 to 1,000 letters")
        return content

    def number(self, least: float, most: float) -> float:
        """A number in a range, both ends included."""
        if type(self.content) not in (int, float) or not least <= self.content <= most:
            self.fail(f"must be a number from {least:g} to {most:g}")
        return float(self.content)

    def frame_number(self) -> int:
        """The whole number of a frame, which may have been written as 12.0."""
        number = self.number(0, MAX_TIME)
        if not number.is_integer():
            self.fail("must be a whole number: it counts frames")
        return int(number)

    def boxes(self, least: float = -MAX_PIXEL, most: float = MAX_PIXEL) -> tuple[Box, ...]:
        """Boxes of 4 numbers in a range: rows of an array, or a list of lists or of arrays."""
        content = plain_array(self.content)
        if isinstance(content, list | tuple):
            rows = [plain_array(entry.content) for entry in self.entries(most=100)]
        elif isinstance(content, np.ndarray) and content.ndim == 2 and len(content) <= 100:
            rows = list(content)
        else:
            self.fail("must be up to 100 boxes of 4 numbers")
        return tuple(
            Value(row, self.file, f"{self.place}[{index}]")._box(least, most)
            for index, row in enumerate(rows)
        )

    def _box(self, least: float, most: float) -> Box:
        row = self.content.tolist() if isinstance(self.content, np.ndarray) else self.content
        if not isinstance(row, list | tuple) or len(row) != 4:
            self.fail("must be a box of 4 numbers: x1, y1, x2, y2")
        sides = (
            Value(side, self.file, f"{self.place}[{index}]").number(least, most)
            for index, side in enumerate(row)
        )
        x1, y1, x2, y2 = sides
        return x1, y1, x2, y2


def _kind(content: object) -> str:
    return "nothing" if content is None else type(plain_array(content)).__name__


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 100 else f"{name[:100]!r}..."
