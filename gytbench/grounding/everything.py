"""Every system that can run here, one after the other on the same videos."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.grounding.recipes import Recipe, missing_files
from gytbench.grounding.registry import find_recipe, system_names
from gytbench.grounding.running import described, run
from gytbench.grounding.systems import Ensemble, Options, prepare
from gytbench.grounding.work import Job
from gytbench.predictions import Task, load_predictions
from gytbench.writing import write_whole

PLAN = "run.json"
"""What the predictions of a folder were made for."""


class Ran(NamedTuple):
    """A system that has answered."""

    name: str
    path: Path
    failed: int
    """Videos that it could not answer."""


class Skipped(NamedTuple):
    """A system that has not answered, and why."""

    name: str
    reason: str


def run_all(
    task: Task,
    options: Options,
    job_of: Callable[[Ensemble], Job],
    folder: Path,
    tell: Callable[[str], None],
) -> list[Ran | Skipped]:
    """Run every system whose files are there, and write FOLDER/NAME.json for each.

    A system that lacks files or packages, or cannot do the task, is skipped with the
    reason. What the folder holds already, made in the same way, stays: a run that was
    stopped goes on. tell: is told the name of each system that begins. Raises
    `InputError` for a folder that was made for other videos or another ground truth.
    """
    found: list[Ran | Skipped] = []
    for name in system_names():
        try:
            lacking = list(_lacking(find_recipe(name), options.weights))
            if lacking:
                where = f"`gytbench baselines show {name}` tells where to get it"
                raise InputError(f"lacks {', '.join(lacking)}; {where}")
            ensemble = prepare(name, options)
            ensemble.check(task)
            job = job_of(ensemble)
            _keep_plan(folder, job)
            found.append(_ran(name, job, ensemble, folder, tell))
        except PlanError:
            raise
        except InputError as error:
            found.append(Skipped(name, _in_one_line(error)))
    return found


def _lacking(recipe: Recipe, weights: Path | None) -> Iterator[str]:
    """The names of files that are not there, of a composition's parts too."""
    yield from (file.name for file in missing_files(recipe, weights))
    for part in (recipe.when, recipe.where):
        if part and part not in BOUNDS:
            yield from _lacking(find_recipe(part), weights)


class PlanError(InputError):
    """The folder belongs to another run."""


def _ran(
    name: str, job: Job, ensemble: Ensemble, folder: Path, tell: Callable[[str], None]
) -> Ran | Skipped:
    path = folder / f"{name}.json"
    if _is_there(path, job, ensemble):
        return Ran(name, path, 0)
    tell(name)
    outcome = run(job, path)
    if outcome.failed and len(outcome.failed) == outcome.answered:
        reason = next(iter(outcome.failed.values()))
        return Skipped(name, f"every video failed, the first because: {reason}")
    return Ran(name, path, len(outcome.failed))


def _is_there(path: Path, job: Job, ensemble: Ensemble) -> bool:
    """Whether the file holds predictions that were made as this run would make them."""
    if not path.is_file():
        return False
    try:
        model = load_predictions(path).model
    except InputError:
        return False
    return bool(model == json.loads(json.dumps(described(job, ensemble))))


def _keep_plan(folder: Path, job: Job) -> None:
    """Note what the folder is for; raise `PlanError` where it is for something else."""
    plan = {
        "task": job.choices.task,
        "videos": str(job.videos.resolve()),
        "truth": {name: str(value or "") for name, value in job.truth.items()},
    }
    path = folder / PLAN
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(plan, indent=1) + "\n").encode())
        return
    try:
        there = json.loads(path.read_bytes())
    except (OSError, ValueError):
        there = None
    if there != plan:
        reason = "was made for other videos, another task or another ground truth; name another"
        raise PlanError(reason, where=str(folder))


def _in_one_line(error: InputError) -> str:
    reasons: Sequence[str] = list(dict.fromkeys(map(str, error.faults)))
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return " ".join(reasons[0].split()) + more
