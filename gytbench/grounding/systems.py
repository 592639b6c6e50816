"""Systems made ready: a name, its files and settings checked, then the grounders started."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gytbench import __version__
from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.grounding.contract import (
    Capabilities,
    Encoder,
    Grounder,
    ReadsFiles,
    Setup,
    capabilities,
)
from gytbench.grounding.recipes import Recipe, file_sha256, find_files
from gytbench.grounding.registry import find_recipe, grounder_class, settings_of, tasks_of
from gytbench.plain_yaml import converted
from gytbench.predictions import Task


class Options(NamedTuple):
    """What a user may change of a system."""

    files: Mapping[str, Path] = {}
    """By role, in place of the recipe's."""
    settings: Mapping[str, Any] = {}
    """In place of the recipe's."""
    weights: Path | None = None
    """The folder where the recipe's files lie."""
    device: str = "cpu"
    half: bool = False


@dataclass(frozen=True)
class Prepared:
    """A system whose files and settings are in order; nothing large is loaded yet."""

    name: str
    recipe: Recipe
    cls: type[Grounder]
    settings: msgspec.Struct
    setup: Setup
    description: Mapping[str, Any]
    """What it is made of, for the prediction file: settings, checksums of files, versions."""

    def start(self) -> "Loaded":
        """The system with its weights; raises `InputError` where they do not serve."""
        grounder = self.cls(self.settings, self.setup)
        return Loaded(self.name, grounder, capabilities(grounder), self.description)


@dataclass(frozen=True)
class Loaded:
    """A system that is ready to run."""

    name: str
    grounder: Any
    able: Capabilities
    description: Mapping[str, Any]

    @property
    def identity(self) -> str:
        """A checksum of everything but the video that its features depend on."""
        sampling = self.grounder.sampling if isinstance(self.grounder, Encoder) else None
        beside = getattr(self.grounder, "beside_features", ())
        described = dict(self.description)
        for part in ("settings", "files"):
            described[part] = {n: v for n, v in described[part].items() if n not in beside}
        content = msgspec.json.encode([described, sampling], order="sorted")
        return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Ensemble:
    """What grounds: one system for when and where, or one for each; not started."""

    name: str
    recipe: Recipe
    when: Prepared | str
    """A string names a floor or ceiling, whose times are taken."""
    where: Prepared

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks that it does."""
        return tasks_of(self.recipe)

    def check(self, task: Task) -> None:
        """Raise `InputError` where it cannot do the task, with what can."""
        if task in self.tasks:
            return
        does = " or ".join(self.tasks)
        hint = ""
        if self.when is self.where and self.tasks == ("spatial",):
            hint = f"; for st take times from another: uniform-segments+{self.name}"
        raise InputError(f"{self.name} does the task {does}, not {task!r}{hint}")

    def description(self) -> dict[str, Any]:
        """What it is made of, as plain values."""
        when = self.when if isinstance(self.when, str) else dict(self.when.description)
        if self.when is self.where:
            return {"name": self.name, "title": self.recipe.title, **dict(self.where.description)}
        where = dict(self.where.description)
        return {"name": self.name, "title": self.recipe.title, "when": when, "where": where}

    def says(self) -> list[str]:
        """What its systems say of how they will answer, such as what they do without."""
        parts = (self.where,) if isinstance(self.when, str) else (self.when, self.where)
        told = {each.name: each.description.get("says") for each in parts}
        return [f"{name}: {text}" for name, text in told.items() if text]

    def start(self, task: Task) -> "System":
        """The systems that the task needs, with their weights."""
        where = self.where.start()
        if self.when is self.where:
            return System(where, where)
        if isinstance(self.when, str) or task == "spatial":
            return System(None, where)
        return System(self.when.start(), where)


@dataclass(frozen=True)
class System:
    """The started systems: what says when (None: the times are given), and what says where."""

    when: Loaded | None
    where: Loaded

    @property
    def alone(self) -> bool:
        """Whether one system says both."""
        return self.when is self.where

    @property
    def whole(self) -> Loaded | None:
        """The system, where it finds whole tubes by itself."""
        return self.where if self.alone and self.where.able.tubes else None

    def reader_of(self, path: Path) -> ReadsFiles | None:
        """What reads a file that is no video; None for videos."""
        for part in (self.when, self.where):
            grounder = part and part.grounder
            if isinstance(grounder, ReadsFiles) and path.suffix.lower() in grounder.suffixes:
                return grounder
        return None

    def close(self) -> None:
        """End what a system keeps running, where it says how."""
        for part in (self.when, self.where):
            close = getattr(part and part.grounder, "close", None)
            if close is not None:
                close()


def prepare(name: str, options: Options) -> Ensemble:
    """The system of a name, checked as far as can be without loading weights.

    Of a composition, files and settings are named for their part: where.checkpoint.
    Raises `InputError` for a name, setting or file that does not serve.
    """
    recipe = find_recipe(name)
    if recipe.grounder:
        prepared = _prepare(name, recipe, options)
        return Ensemble(name, recipe, prepared, prepared)
    of_when, of_where = _of_part(options, "when"), _of_part(options, "where")
    if recipe.when in BOUNDS:
        _check_bound(recipe.when, of_when)
        return Ensemble(name, recipe, recipe.when, _prepare_where(recipe, of_where))
    when = _prepare(recipe.when, find_recipe(recipe.when), of_when, "when")
    if not capabilities(when.cls).when:
        raise InputError(f"{when.name} gives no score to seconds: it cannot come first")
    where = _prepare_where(recipe, of_where)
    return Ensemble(name, _timed_as(recipe, when.recipe), when, where)


def _check_bound(name: str, options: Options) -> None:
    """That a floor or ceiling says when, and is not given what it would not heed."""
    if "st" not in BOUNDS[name].tasks:
        raise InputError(f"{name} finds places, and does not say when")
    for option in (*options.files, *options.settings):
        raise InputError(f"{name} has no files and no settings, so no 'when.{option}'")


def _prepare_where(recipe: Recipe, options: Options) -> Prepared:
    where = _prepare(recipe.where, find_recipe(recipe.where), options, "where")
    if not capabilities(where.cls).where:
        reason = f"{where.name} finds no place for times that are given: it cannot come second"
        raise InputError(reason)
    return where


def _timed_as(recipe: Recipe, when: Recipe) -> Recipe:
    """A composition's recipe with the threshold and temperature of what says when."""
    tau = when.tau if recipe.tau is None else recipe.tau
    return msgspec.structs.replace(recipe, tau=tau, temperature=when.temperature)


def _of_part(options: Options, part: str) -> Options:
    """The options whose names begin with the part's name and a dot, without it."""
    start = f"{part}."

    def own(named: Mapping[str, Any]) -> dict[str, Any]:
        for name in named:
            if not name.startswith(("when.", "where.")):
                hint = f"say when.{name} or where.{name}"
                raise InputError(f"a composition has two parts, so {name!r} is unclear: {hint}")
        return {n.removeprefix(start): value for n, value in named.items() if n.startswith(start)}

    return options._replace(files=own(options.files), settings=own(options.settings))


def _prepare(name: str, recipe: Recipe, options: Options, part: str = "") -> Prepared:
    if not recipe.grounder:
        raise InputError(f"{name} is a composition, and cannot be part of another")
    cls = grounder_class(recipe.grounder)
    settings = _settings(name, cls, {**recipe.settings, **options.settings})
    roles: Mapping[str, str] = getattr(cls, "roles", {})
    files = find_files(name, recipe, options.files, options.weights, roles, part)
    description: dict[str, Any] = {
        "grounder": recipe.grounder,
        "settings": msgspec.to_builtins(settings),
        "files": {role: file_sha256(path) for role, path in sorted(files.items())},
        "half": options.half,
        "gytbench": __version__,
    }
    says = getattr(cls, "says", None)
    if says is not None:
        description["says"] = says(settings, files)
    setup = Setup(files, options.device, options.half)
    return Prepared(name, recipe, cls, settings, setup, description)


def _settings(name: str, cls: type, given: Mapping[str, Any]) -> msgspec.Struct:
    kind = settings_of(cls)
    known = [field.name for field in msgspec.structs.fields(kind)]
    for setting in given:
        if setting not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InputError(f"{name} has no setting {setting!r}; {has}")
    return converted(dict(given), kind, f"settings of {name}")
