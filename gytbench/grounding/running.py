"""Run a system on a folder of videos: resumable, in shards, on one machine or a cluster."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gytbench.errors import InputError
from gytbench.grounding.distributed import answers
from gytbench.grounding.features import Watch
from gytbench.grounding.parts import Part, RunFolder
from gytbench.grounding.systems import Ensemble, prepare
from gytbench.grounding.work import Job, Worker
from gytbench.predictions import PredictionWriter


class Shard(NamedTuple):
    """Share `number` of `total`, from 1; every video belongs to one."""

    number: int = 1
    total: int = 1

    def of(self, videos: Sequence[str]) -> list[str]:
        """The videos of this share: every total-th, so that the shares are alike."""
        return list(videos[self.number - 1 :: self.total])


ALL = Shard()


@dataclass(frozen=True)
class Outcome:
    """What a run, or one shard of it, did."""

    answered: int
    """Videos that this process answered, or found answered."""
    tubes: int
    """In the merged file; 0 where it is not merged yet."""
    failed: Mapping[str, str]
    """Why, by video; of all videos once merged, else of the shard's."""
    missing: int
    """Videos of other shards that have no part yet: without them nothing is merged."""
    spent: Mapping[str, float]
    """Seconds of work by kind in this process: decoding, model, writing."""
    wall: float
    """Seconds that this process took for its videos."""
    fresh: int
    """Videos that were answered in this call."""


def run(job: Job, output: Path, *, shard: Shard = ALL, distributed: str = "") -> Outcome:
    """Ground the videos of a benchmark, and write the predictions.

    The parts are kept in the folder OUTPUT.run until all videos have one: a run that was
    stopped goes on where it was, and videos that failed are tried again. Once all shards
    are through, whichever is the last merges them into `output`. distributed: the address
    of a Ray cluster, "local" for one of this machine; empty = in this process.

    Raises `InputError` for what concerns the whole run; what concerns one video is told
    in the outcome.
    """
    ensemble = prepare(job.name, job.options)
    ensemble.check(job.choices.task)
    worker = Worker(job, ensemble)
    videos = list(worker.questions)
    folder = RunFolder(output.with_name(f"{output.name}.run"), _plan(job, ensemble, worker))
    own = shard.of(videos)
    before = folder.verdicts(own)
    waiting = [video for video in own if before.get(video) != ""]
    began, spent = time.perf_counter(), Watch()
    for part in _answers(job, worker, waiting, distributed, done=len(own) - len(waiting)):
        for kind, seconds in part.spent.items():
            spent.spent[kind] += seconds
        with spent.on("writing"):
            folder.write(part)
    wall = time.perf_counter() - began
    verdicts = folder.verdicts(videos)
    missing = len(videos) - len(verdicts)
    told = own if missing else videos
    failed = {video: verdicts[video] for video in told if verdicts.get(video)}
    tubes = 0 if missing else _merge(folder, videos, output, job, ensemble, failed)
    return Outcome(len(own), tubes, failed, missing, spent.spent, wall, len(waiting))


def _answers(
    job: Job, worker: Worker, videos: Sequence[str], distributed: str, done: int
) -> Iterator[Part]:
    from tqdm import tqdm

    if not videos:
        return
    if distributed:
        parts = answers(job, videos, distributed)
    else:
        worker.start()
        parts = map(worker.answer, videos)
    total = done + len(videos)
    with closing(worker):
        yield from tqdm(
            parts, "videos", total, initial=done, unit="video", disable=None, leave=False
        )


def _merge(
    folder: RunFolder,
    videos: Sequence[str],
    output: Path,
    job: Job,
    ensemble: Ensemble,
    failed: Mapping[str, str],
) -> int:
    """Write the predictions of all videos in their order; returns how many tubes.

    The folder is kept where a video failed, so that the same command tries only that again.
    """
    model = described(job, ensemble) | ({"failed": failed} if failed else {})
    tubes = 0
    with PredictionWriter(output, task=job.choices.task, model=model) as writer:
        for video in videos:
            part = folder.read(video)
            if part is None:
                # Another shard merged and removed the parts meanwhile.
                raise InputError("its part is gone; run again", where=video)
            writer.write(part.tubes)
            tubes += len(part.tubes)
    if not failed:
        folder.remove()
    return tubes


def described(job: Job, ensemble: Ensemble) -> dict[str, Any]:
    """What the prediction file says, under `model`, of how it was made."""
    choices = job.choices
    said: dict[str, Any] = ensemble.description()
    if choices.task == "st":
        said |= {"pool": job.pool, "tau": choices.tau}
    if choices.task == "temporal":
        said |= {"temperature": choices.temperature, "mean_length": choices.mean_length}
    return said


def _plan(job: Job, ensemble: Ensemble, worker: Worker) -> dict[str, Any]:
    """Everything that decides the predictions, but for the videos' own content."""
    truth = {name: value for name, value in job.truth.items() if name != "data"}
    return described(job, ensemble) | {
        "task": job.choices.task,
        "truth": truth | {"data": worker.benchmark.data},
        "folder of videos": str(job.videos.resolve()),
    }
