"""What goes wrong with input, said so that a person can mend it.

Everything a user can get wrong (a file, a field, an option, a missing download)
is raised as `InputError`. The command line prints its faults, one a line, and
exits with code 2; a traceback always means a defect of this package.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong: where it is, what kind of fault, and what to do about it.

    `where` is a file, a JSON path such as ``$.tubes[12].boxes[3]``, or both;
    `kind` is a short stable name that faults are counted by.
    """

    where: str
    reason: str
    kind: str = "fault"

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


class InputError(Exception):
    """Input that cannot be used: one or more faults.

    >>> str(InputError("no such task", where="preds.json"))
    'preds.json: no such task'
    """

    def __init__(self, faults: str | Iterable[Fault], where: str = "") -> None:
        if isinstance(faults, str):
            faults = [Fault(where, faults)]
        self.faults: list[Fault] = list(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def counts(self) -> dict[str, int]:
        """Faults by kind, the most frequent first."""
        return dict(Counter(fault.kind for fault in self.faults).most_common())
