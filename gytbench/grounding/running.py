"""Run a system on a folder of videos: resumable, in shards, on one machine or a cluster."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.grounding.answering import Answerer, Choices
from gytbench.grounding.features import Looker, Store, StoreError, Video, Watch
from gytbench.grounding.parts import Part, RunFolder
from gytbench.grounding.questions import Pool, Question, questions
from gytbench.grounding.systems import Ensemble, Options, prepare
from gytbench.predictions import Predictions, PredictionWriter, Tube, pack


@dataclass(frozen=True)
class Job:
    """All that a process must know to answer for any video of a run. It can be pickled."""

    name: str
    """Of the system."""
    videos: Path
    """The folder of videos."""
    choices: Choices
    options: Options
    truth: Mapping[str, Any]
    """The arguments of `load_benchmark`."""
    pool: Pool = "instances"
    batch_size: int = 16
    features: Path | None = None
    """Where features are kept; None = nowhere."""


class Worker:
    """One process's part of a run: the benchmark and the system, loaded once."""

    def __init__(self, job: Job, ensemble: Ensemble) -> None:
        """Loads nothing yet."""
        self._job, self._ensemble = job, ensemble

    @cached_property
    def benchmark(self) -> Benchmark:
        """The ground truth, of which a system is told what its task gives."""
        return load_benchmark(**self._job.truth)

    @cached_property
    def questions(self) -> dict[str, Question]:
        """What is asked, by video."""
        asked = questions(self.benchmark, self._job.choices.task, self._job.pool)
        return {question.video: question for question in asked}

    @cached_property
    def files(self) -> dict[str, list[Path]]:
        """What may be each video, by name."""
        from gytbench.videos import listed_videos

        paths: dict[str, list[Path]] = {}
        for path in listed_videos(self._job.videos):
            paths.setdefault(path.stem, []).append(path)
        return paths

    @cached_property
    def _answerer(self) -> Answerer:
        job, store = self._job, self._job.features
        looker = Looker(job.batch_size, Store(store) if store else None)
        system = self._ensemble.start(job.choices.task)
        return Answerer(system, job.choices, looker, self._times())

    def _times(self) -> dict[str, list[Tube]]:
        times: dict[str, list[Tube]] = {}
        when = self._ensemble.when
        if isinstance(when, str) and self._job.choices.task == "st":
            bound = BOUNDS[when]
            task = "st" if "st" in bound.tasks else "temporal"
            for tube in bound.predict(self.benchmark, task):  # type: ignore[arg-type]
                times.setdefault(tube.video, []).append(tube)
        return times

    def start(self) -> None:
        """Load everything now; raises `InputError` for what does not serve."""
        _ = self.questions, self.files, self._answerer

    def answer(self, video: str) -> Part:
        """The part of one video; what is wrong with the video is told in it, not raised."""
        watch = Watch()
        if video not in self.files:
            reason = f"no {video}.* and no folder {video} of images in {self._job.videos}"
            return Part(video, failed=reason)
        path = _usable(self.files[video])
        try:
            tubes = self._answerer.tubes(self.questions[video], Video(video, path, watch))
            self._check(tubes)
            return Part(video, tubes, spent=dict(watch.spent))
        except StoreError:
            raise
        except InputError as error:
            reasons = (
                fault.reason if fault.where == video else str(fault) for fault in error.faults
            )
            return Part(video, failed="; ".join(reasons), spent=dict(watch.spent))
        except OSError as error:
            return Part(video, failed=f"{path}: {error.strerror or error}")

    def _check(self, tubes: list[Tube]) -> None:
        """Raise `InputError` where what a system found by itself is no valid prediction."""
        if self._answerer.system.whole is not None:
            task = self._job.choices.task
            pack(Predictions(task, tubes, {}), self.benchmark, task)

    def close(self) -> None:
        """End what the systems keep running, such as a program."""
        if "_answerer" in self.__dict__:
            self._answerer.system.close()


def _usable(paths: Sequence[Path]) -> Path:
    """The first that can be opened, as `gytbench data videos` has it; else the last."""
    from gytbench.videos import open_frames

    for path in paths[:-1]:
        with suppress(InputError, OSError):
            open_frames(path)
            return path
    return paths[-1]


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
    waiting = [video for video in own if _unanswered(folder, video)]
    began, spent = time.perf_counter(), Watch()
    for part in _answers(job, worker, waiting, distributed, done=len(own) - len(waiting)):
        for kind, seconds in part.spent.items():
            spent.spent[kind] += seconds
        with spent.on("writing"):
            folder.write(part)
    wall = time.perf_counter() - began
    missing = sum(not folder.has(video) for video in videos)
    tubes, failed = (
        (0, _failures(folder, own)) if missing else _merge(folder, videos, output, job, ensemble)
    )
    return Outcome(len(own), tubes, failed, missing, spent.spent, wall, len(waiting))


def _answers(
    job: Job, worker: Worker, videos: Sequence[str], distributed: str, done: int
) -> Iterator[Part]:
    from tqdm import tqdm

    if not videos:
        return
    if distributed:
        from gytbench.grounding.distributed import answers

        parts = answers(job, videos, distributed)
    else:
        worker.start()
        parts = map(worker.answer, videos)
    total = done + len(videos)
    with closing(worker):
        yield from tqdm(
            parts, "videos", total, initial=done, unit="video", disable=None, leave=False
        )


def _unanswered(folder: RunFolder, video: str) -> bool:
    part = folder.read(video)
    return part is None or bool(part.failed)


def _failures(folder: RunFolder, videos: Sequence[str]) -> dict[str, str]:
    return {part.video: part.failed for part in folder.parts(videos) if part and part.failed}


def _merge(
    folder: RunFolder, videos: Sequence[str], output: Path, job: Job, ensemble: Ensemble
) -> tuple[int, dict[str, str]]:
    """Write the predictions of all videos in their order; how many tubes, and what failed.

    The folder is kept where a video failed, so that the same command tries only that again.
    """
    failed = _failures(folder, videos)
    model = _model(job, ensemble) | ({"failed": failed} if failed else {})
    tubes = 0
    with PredictionWriter(output, task=job.choices.task, model=model) as writer:
        for video, part in zip(videos, folder.parts(videos), strict=True):
            if part is None:
                # Another shard merged and removed the parts meanwhile.
                raise InputError("its part is gone; run again", where=video)
            writer.write(part.tubes)
            tubes += len(part.tubes)
    if not failed:
        folder.remove()
    return tubes, failed


def _model(job: Job, ensemble: Ensemble) -> dict[str, Any]:
    """What the prediction file says of how it was made."""
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
    return _model(job, ensemble) | {
        "task": job.choices.task,
        "truth": truth | {"data": worker.benchmark.data},
        "folder of videos": str(job.videos.resolve()),
    }
