"""What one process does for a run: everything it must know, and the answer to each video."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.grounding.answering import Answerer, Choices
from gytbench.grounding.features import Looker, Store, StoreError, Video, Watch
from gytbench.grounding.parts import Part
from gytbench.grounding.questions import Pool, Question, questions
from gytbench.grounding.systems import Ensemble, Options
from gytbench.predictions import Predictions, Tube, pack


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
        from gytbench.videos import videos_by_id

        return videos_by_id(self._job.videos)

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
            for tube in BOUNDS[when].predict(self.benchmark, "st"):
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
            reader = self._answerer.system.reader_of(path)
            found = Video(video, path, watch, reader)
            tubes = self._answerer.tubes(self.questions[video], found)
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
