"""The rules of the audit: what each means, which files it reads, and where it is registered."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gytbench.audit.release import Release
from gytbench.errors import InputError


class Found(NamedTuple):
    """One place that breaks a rule."""

    file: str
    video: str
    """Empty for a fault of the file as a whole."""
    second: int | None
    text: str


class Finding(NamedTuple):
    """One place that breaks a rule, and which rule."""

    rule: str
    file: str
    video: str
    second: int | None
    text: str

    @property
    def place(self) -> str:
        """Video and second in words."""
        return self.video if self.second is None else f"{self.video} at {self.second} s"


Check = Callable[[Release], Iterable[Found]]


class Rule(NamedTuple):
    """One rule. `needs` are files without which it cannot be checked at all; files of
    `each` are checked one by one, those that are there."""

    id: str
    meaning: str
    check: Check
    needs: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    pictured: bool = False
    """Whether its places are boxes that a picture shows."""


class Registry:
    """The rules by id, in the order in which they are told."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    def rule(
        self,
        id: str,
        meaning: str,
        *,
        needs: tuple[str, ...] = (),
        each: tuple[str, ...] = (),
        pictured: bool = False,
    ) -> Callable[[Check], Check]:
        """Register the decorated function as the check of a rule."""

        def register(check: Check) -> Check:
            self.rules[id] = Rule(id, meaning, check, needs, each, pictured)
            return check

        return register


registry = Registry()


def choose_rules(names: Sequence[str], known: Iterable[str]) -> frozenset[str]:
    """The rules of these ids, `all` for every one. Raises `InputError` for an unknown one."""
    known = list(known)
    for name in names:
        if name != "all" and name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise InputError(f"no such rule: {name!r}{hint} (`gytbench audit --rules` lists them)")
    return frozenset(known if "all" in names else names)
