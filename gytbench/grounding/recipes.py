"""Recipes: which system, with which files and settings, stands for which row of a table."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gytbench.errors import Fault, InputError
from gytbench.plain_yaml import read_yaml_file
from gytbench.resources import baselines_folder

WEIGHTS_VARIABLE = "GYTBENCH_WEIGHTS"


class RecipeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that a system needs and that is not in the package."""

    name: str
    """As it is published; looked for in the folder of weights."""
    url: str = ""
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    """Empty where its publisher states none."""
    licence: str = ""
    note: str = ""
    """How to get it, where the address alone does not do."""
    packaged: bool = False
    """Whether it lies in the package, at `name` below the recipes."""


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One YAML file in baselines/: a system as a row of a table needs it."""

    title: str
    """One line: what it is."""
    grounder: str = ""
    """The registered system; for a composition empty."""
    when: str = ""
    """Of a composition: the recipe that says when."""
    where: str = ""
    """Of a composition: the recipe that says where."""
    rows: tuple[str, ...] = ()
    """The rows of the paper's tables that it stands for."""
    files: dict[str, RecipeFile] = {}
    """By role."""
    settings: dict[str, Any] = {}
    preprocessing: str = ""
    """How pixels are prepared, in words."""
    tau: Annotated[float, Meta(ge=-1e9, le=1e9)] | None = None
    """The threshold on the similarity; none is published."""
    temperature: Annotated[float, Meta(gt=0, le=1e9)] = 1.0
    """What similarities are divided by before the softmax of the alignment."""
    reported: dict[str, dict[str, float]] = {}
    """The numbers that its publishers report, by table, as printed: conventions unknown."""
    notes: str = ""


def recipe_names() -> list[str]:
    """The names of the packaged recipes, sorted."""
    return sorted(path.stem for path in baselines_folder().glob("*.yaml"))


def packaged_recipe(name: str) -> Recipe:
    """The recipe of that name; the package has it."""
    return read_recipe(baselines_folder() / f"{name}.yaml")


def read_recipe(path: Path) -> Recipe:
    """The recipe of a YAML file; raises `InputError` that names what does not fit."""
    recipe = read_yaml_file(path, Recipe)
    if bool(recipe.grounder) == bool(recipe.when and recipe.where) or (
        bool(recipe.when) != bool(recipe.where)
    ):
        raise InputError("names either a grounder, or when and where", where=str(path))
    if not recipe.grounder and (recipe.files or recipe.settings):
        reason = "files and settings belong to the recipes of when and where, not here"
        raise InputError(reason, where=str(path))
    return recipe


def find_files(
    name: str,
    recipe: Recipe,
    given: Mapping[str, Path],
    weights: Path | None,
    roles: Mapping[str, str],
    part: str = "",
) -> dict[str, Path]:
    """The files of a recipe by role: those given, else those in the folder of weights.

    given: by role, taken as they are. weights: where files lie under their published
    names; without it, the folder that the variable GYTBENCH_WEIGHTS names. roles: what the
    system knows, in words. part: of a composition, how options name it. A file whose
    published checksum is known must have it. Raises `InputError` for a role that is
    unknown, and for every file that is missing, with how to get it.
    """
    unknown = [role for role in given if role not in roles and role not in recipe.files]
    if unknown:
        known = ", ".join(dict.fromkeys((*recipe.files, *roles))) or "none"
        raise InputError(f"{name} needs no file {unknown[0]!r}; its files: {known}")
    found, missing = dict(given), []
    for role, file in recipe.files.items():
        if role in given:
            continue
        path = _place(file, weights)
        if path is None or not path.is_file():
            missing.append(Fault("", _how_to_get(name, _option(part, role), file, path)))
        else:
            _check_published(path, file, _option(part, role))
            found[role] = path
    if missing:
        raise InputError(missing)
    for path in found.values():
        if not path.is_file():
            raise InputError("no such file", where=str(path))
    return found


def weights_folder(given: Path | None = None) -> Path | None:
    """The folder of weights: the one given, else that of GYTBENCH_WEIGHTS, else none."""
    from_environment = os.environ.get(WEIGHTS_VARIABLE)
    if given is None and from_environment:
        return Path(from_environment).expanduser()
    return given


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex; raises `InputError` where it cannot be read."""
    try:
        found = path.stat()
        return _sha256(path, found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


@cache
def _sha256(path: Path, _size: int, _changed: int) -> str:
    # Checkpoints are large, and asked for more than once.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def missing_files(recipe: Recipe, weights: Path | None) -> Iterable[RecipeFile]:
    """The recipe's files that are not in the folder of weights."""
    for file in recipe.files.values():
        path = _place(file, weights)
        if path is None or not path.is_file():
            yield file


def _place(file: RecipeFile, weights: Path | None) -> Path | None:
    if file.packaged:
        return baselines_folder() / file.name
    folder = weights_folder(weights)
    return None if folder is None else folder / file.name


def _option(part: str, role: str) -> str:
    """How --file names a role."""
    return f"{part}.{role}" if part else role


def _how_to_get(name: str, role: str, file: RecipeFile, path: Path | None) -> str:
    source = file.note.rstrip(".") or file.url or "an address that the recipe does not tell"
    where = (
        f"{path} does not exist" if path else f"--weights DIR or {WEIGHTS_VARIABLE} names no folder"
    )
    return (
        f"{name} needs {file.name}, and {where}. Where to get it: {source}. "
        f"--file {role}=PATH names another"
    )


def _check_published(path: Path, file: RecipeFile, role: str) -> None:
    if file.sha256 and file_sha256(path) != file.sha256:
        reason = (
            f"is not the published {file.name} (its SHA-256 differs); fetch it again, or use "
            f"it all the same with --file {role}={path}"
        )
        raise InputError(reason, where=str(path))
