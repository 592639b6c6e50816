"""Collects the rows of one file, and all that is wrong with it."""

from collections.abc import Callable
from typing import Any, TypeVar

from gytbench.annotation.rows import PointRow
from gytbench.benchmark.points import ImageName
from gytbench.errors import Fault, InputError
from gytbench.predictions.faults import MAX_FAULTS, not_listed

T = TypeVar("T")

MAX_ROWS = 5_000_000
"""Answers that one file may hold."""

Size = tuple[float | None, float | None]
"""Width and height in pixels, None where the file does not tell them."""
Point = tuple[float | None, float | None]
"""x and y; None where nothing is visible."""

NO_SIZE: Size = (None, None)
NOTHING: Point = (None, None)


class Answers:
    """The rows of the file `source`, and its faults."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.rows: list[PointRow] = []
        self.faults: list[Fault] = []

    def add(
        self,
        frame: ImageName,
        annotator: str,
        point: Point,
        size: Size,
        where: str,
        mean_distance: float | None = None,
    ) -> None:
        """One answer; its annotator is empty where the file names none."""
        if len(self.rows) >= MAX_ROWS:
            raise InputError(f"more than {MAX_ROWS:,} answers; split the file", self.source)
        self.rows.append(PointRow(*frame, annotator, *point, *size, where, mean_distance))

    def fault(self, where: str, reason: str, kind: str) -> None:
        """Note a fault; a last one tells that no more are listed."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(where, reason, kind))
        elif len(self.faults) == MAX_FAULTS:
            self.faults.append(not_listed(self.source))

    def take(self, convert: Callable[[Any], T], value: object, where: str) -> T | None:
        """The value converted; None, and a fault, where `convert` raises `ValueError`."""
        try:
            return convert(value)
        except ValueError as error:
            self.fault(where, str(error), "wrong value")
            return None

    def objects(self, value: object, where: str) -> list[tuple[str, dict[str, Any]]]:
        """The objects of a JSON array, each with its place; anything else is a fault."""
        if not isinstance(value, list):
            self.fault(where, f"must be an array, not {kind_of_value(value)}", "wrong type")
            return []
        found = []
        for index, entry in enumerate(value):
            here = f"{where}[{index}]"
            if isinstance(entry, dict):
                found.append((here, entry))
            else:
                reason = f"must be an object, not {kind_of_value(entry)}"
                self.fault(here, reason, "wrong type")
        return found

    def done(self) -> list[PointRow]:
        """The rows; raises `InputError` with all faults, or where there is no row."""
        if self.faults:
            raise InputError(self.faults)
        if not self.rows:
            raise InputError("holds no answer of an annotator", where=self.source)
        return self.rows


def kind_of_value(value: object) -> str:
    """What a JSON value is, in words."""
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else kinds.get(type(value), "a number")
