"""`gytbench baselines`: what there is to run, and what each of them needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gytbench.cli.text import one_line

if TYPE_CHECKING:
    from gytbench.bounds import Bound
    from gytbench.grounding.recipes import Recipe


@click.group("baselines")
def command() -> None:
    """Baselines: floors, ceilings, and the systems that ground videos."""


@command.command("list")
def list_all() -> None:
    """Name all baselines, those of other packages too."""
    from tabulate import tabulate

    from gytbench.grounding.registry import entries

    rows = [
        (each.name, each.kind, ", ".join(each.tasks), each.needs, one_line(each.summary))
        for each in entries()
    ]
    headers = ("name", "kind", "tasks", "needs", "what it is")
    click.echo(tabulate(rows, headers=headers, disable_numparse=True))


@command.command("show")
@click.argument("name")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder where the files are looked for [default: $GYTBENCH_WEIGHTS].",
)
def show(name: str, weights: Path | None) -> None:
    """Show what the baseline NAME is and needs.

    Its row of the paper, files, preprocessing, settings, and the command that runs it.
    """
    from gytbench.bounds import BOUNDS
    from gytbench.grounding.registry import find_recipe

    if name in BOUNDS:
        lines = _about_bound(BOUNDS[name])
    else:
        lines = _about(name, find_recipe(name), weights)
    click.echo("\n".join(one_line(line) for line in lines))


def _about_bound(bound: "Bound") -> Iterator[str]:
    yield f"{bound.name}: {bound.summary}"
    yield f"kind: {bound.kind}"
    yield f"tasks: {', '.join(bound.tasks)}"
    yield f"run: gytbench run-baseline {bound.name} --task {bound.tasks[0]} -o preds.json"


def _about(name: str, recipe: "Recipe", weights: Path | None) -> Iterator[str]:
    from gytbench.grounding.registry import needs_of, tasks_of

    tasks = tasks_of(recipe)
    yield f"{name}: {recipe.title}"
    if recipe.grounder:
        yield f"system: {recipe.grounder}"
    else:
        yield f"when: {recipe.when}"
        yield f"where: {recipe.where}"
    yield f"tasks: {', '.join(tasks)}"
    yield f"rows of the paper: {'; '.join(recipe.rows) or 'none'}"
    yield f"needs: {needs_of(recipe)}"
    yield from _about_files(recipe, weights)
    yield f"preprocessing: {recipe.preprocessing or 'none said'}"
    yield f"tau: {'none' if recipe.tau is None else recipe.tau}"
    yield f"temperature: {recipe.temperature:g}"
    yield from _about_settings(recipe)
    yield f"reported: {_reported(recipe)}"
    if recipe.notes:
        yield f"notes: {' '.join(recipe.notes.split())}"
    yield f"run: gytbench run-baseline {name} --videos DIR --task {tasks[0]} -o preds.json"


def _about_files(recipe: "Recipe", weights: Path | None) -> Iterator[str]:
    from gytbench.grounding.recipes import missing_files

    absent = list(missing_files(recipe, weights))
    for role, file in recipe.files.items():
        if file.packaged:
            yield f"file {role}: {file.name} (in the package)"
            continue
        yield f"file {role}: {file.name} ({'missing' if file in absent else 'there'})"
        source = "; ".join(filter(None, (file.url, file.note)))
        yield f"  from: {source or 'not published'}"
        yield f"  sha256: {file.sha256 or 'not published'}"
        if file.licence:
            yield f"  licence: {file.licence}"


def _about_settings(recipe: "Recipe") -> Iterator[str]:
    import msgspec

    from gytbench.grounding.registry import grounder_class, settings_of

    if not recipe.grounder:
        return
    for field in msgspec.structs.fields(settings_of(grounder_class(recipe.grounder))):
        value = recipe.settings.get(field.name, field.default)
        if value is msgspec.NODEFAULT:
            value = field.default_factory() if callable(field.default_factory) else "required"
        yield f"setting {field.name}: {value}"


def _reported(recipe: "Recipe") -> str:
    if not recipe.reported:
        return "none in hand"
    rows = (
        f"{table}: " + ", ".join(f"{metric} {value:g}" for metric, value in numbers.items())
        for table, numbers in recipe.reported.items()
    )
    return "; ".join(rows) + " (conventions unknown)"
