"""The systems by name: packaged recipes, what other packages register, compositions."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple

import msgspec

from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.grounding.contract import Grounder, NoSettings, capabilities
from gytbench.grounding.recipes import Recipe, packaged_recipe, read_recipe, recipe_names
from gytbench.predictions import Task

GROUP = "gytbench.grounders"
"""The entry-point group that systems are registered under."""

_PROGRAMS = frozenset({"exec", "exec-tubes"})

RECIPE_SUFFIXES = (".yaml", ".yml")


def registered() -> dict[str, EntryPoint]:
    """The registered systems by name."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def grounder_class(name: str) -> type[Grounder]:
    """The class that is registered under a name.

    Raises `InputError`, with suggestions, where there is none, and where it cannot be
    imported or is no class.
    """
    points = registered()
    if name not in points:
        raise InputError(f"no system {name!r} is registered{suggestion(name, points)}")
    distribution = points[name].dist
    package = distribution.name if distribution else "its package"
    try:
        found: type[Grounder] = points[name].load()
    except Exception as error:
        # The module is another's: whatever it raises is a reason to name, not to end.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"the system {name!r} of {package} cannot be imported: {reason}") from None
    if not isinstance(found, type):
        raise InputError(f"the system {name!r} of {package} is no class")
    return found


def summary_of(grounder: type) -> str:
    """The first line of a class's docstring."""
    return (grounder.__doc__ or "").strip().partition("\n")[0]


def settings_of(grounder: type) -> type[msgspec.Struct]:
    """The struct of a class's settings."""
    return getattr(grounder, "Settings", NoSettings)


def find_recipe(name: str) -> Recipe:
    """The recipe that a name stands for.

    A packaged recipe, a path to one (.yaml), a registered system with its defaults, or
    WHEN+WHERE of two of these, of which WHEN may be a floor or ceiling. Raises
    `InputError`, with suggestions, for anything else.
    """
    if name in BOUNDS:
        raise InputError(f"{name} looks at no video: it cannot say where in one")
    when, _, where = name.partition("+")
    composed = bool(when and where)
    # The path of a recipe may hold a plus sign, and a recipe may be the second part.
    if name.endswith(RECIPE_SUFFIXES) and (not composed or Path(name).is_file()):
        return read_recipe(Path(name))
    if name in recipe_names():
        return packaged_recipe(name)
    if name in registered():
        return Recipe(title=summary_of(grounder_class(name)), grounder=name)
    if composed:
        if when not in BOUNDS:
            find_recipe(when)
        find_recipe(where)
        return Recipe(title=f"when by {when}, where by {where}", when=when, where=where)
    known = [*recipe_names(), *registered(), *BOUNDS]
    raise InputError(f"no baseline {name!r}{suggestion(name, known)}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """What was perhaps meant by a name, or where all are listed."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    similar = get_close_matches(name, names, n=1)
    if similar:
        return f"; did you mean {similar[0]!r}?"
    return "; `gytbench baselines list` names them all"


class Entry(NamedTuple):
    """A row of the list of baselines."""

    name: str
    kind: str
    """floor, ceiling, system or composition."""
    tasks: tuple[str, ...]
    needs: str
    """The extra and the number of files, in words, or that it cannot be imported."""
    summary: str
    """What it is in one line, or why it cannot be imported."""


def entries() -> list[Entry]:
    """All baselines: floors, ceilings, packaged recipes, and what other packages register.

    A system that cannot be imported, whatever its module raises, is among them.
    """
    found = [Entry(b.name, b.kind, b.tasks, "nothing", b.summary) for b in BOUNDS.values()]
    return found + [_entry(name) for name in system_names()]


def system_names() -> list[str]:
    """All that grounds videos: packaged recipes, and registered systems without a recipe.

    Those that run any program stay among the latter, though recipes run programs by them.
    """
    names = recipe_names()
    covered = {packaged_recipe(name).grounder for name in names} - _PROGRAMS
    covered |= {*names, *BOUNDS}
    return names + [name for name in registered() if name not in covered]


def tasks_of(recipe: Recipe) -> tuple[Task, ...]:
    """The tasks that a recipe's system does; times alone need no composition."""
    if recipe.grounder:
        return capabilities(grounder_class(recipe.grounder)).tasks
    return ("st", "spatial")


def needs_of(recipe: Recipe) -> str:
    """What must be installed and fetched for a recipe, in words."""
    if not recipe.grounder:
        parts = [part for part in (recipe.when, recipe.where) if part not in BOUNDS]
        return " and ".join(needs_of(find_recipe(part)) for part in parts)
    extra = getattr(grounder_class(recipe.grounder), "extra", "")
    needs = [f"[{extra}]"] if extra else []
    count = sum(not file.packaged for file in recipe.files.values())
    needs += [f"{count} file{'s' if count > 1 else ''}"] if count else []
    return ", ".join(needs) or "nothing"


def _entry(name: str) -> Entry:
    try:
        recipe = find_recipe(name)
        kind = "system" if recipe.grounder else "composition"
        return Entry(name, kind, tasks_of(recipe), needs_of(recipe), recipe.title)
    except InputError as error:
        return Entry(name, "system", (), "cannot be imported", str(error))
