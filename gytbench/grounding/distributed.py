"""Hand the videos of a run to a Ray cluster; a video whose machine is lost is done again."""

import logging
import os
import pickle
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from gytbench.errors import InputError
from gytbench.grounding.parts import Part
from gytbench.grounding.systems import prepare
from gytbench.grounding.work import Job, Worker

if TYPE_CHECKING:
    import ray


def answers(job: Job, videos: Sequence[str], address: str) -> Iterator[Part]:
    """The parts of the videos as they are answered, each once, in no particular order.

    address: of the cluster; "local" starts one of this machine alone, "auto" finds the one
    that this machine is in. Every machine of it needs this package and the files under the
    same paths; the parts come back here, so that only this process writes. Raises
    `InputError` where Ray is missing or the cluster cannot be reached, and what a worker's
    start raises.
    """
    # Ray reports its use over the network unless it is told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise InputError("needs Ray: pip install 'gytbench[distributed]'") from None

    with _cluster(address):
        gpus = 1 if job.options.device.startswith("cuda") else 0
        # A task that dies with its machine is done again elsewhere, however often.
        task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=-1)(_answer)
        given = ray.put(pickle.dumps(job))
        waiting = {task.remote(given, video) for video in videos}
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1)
            waiting.difference_update(ready)
            for answer in ready:
                yield _part(answer)


def _part(answer: "ray.ObjectRef[bytes]") -> Part:
    import ray

    try:
        return msgspec.json.decode(ray.get(answer), type=Part)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, InputError):
            raise InputError(error.cause.faults) from None
        raise


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    import ray

    _check_reachable(address)
    own = not ray.is_initialized()
    try:
        if own:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        yield
    except (ConnectionError, TimeoutError) as error:
        raise InputError(f"the Ray cluster at {address} cannot be reached: {error}") from None
    finally:
        if own:
            ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise `InputError` where nothing listens at host:port: Ray itself would wait for ever."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(f"the Ray cluster at {address} cannot be reached: {error}") from None


def _answer(pickled: bytes, video: str) -> bytes:
    """What a worker process does for one video."""
    return msgspec.json.encode(_worker(pickled).answer(video))


@lru_cache(maxsize=1)
def _worker(pickled: bytes) -> Worker:
    """The loaded system; a process answers for many videos of a run."""
    job: Job = pickle.loads(pickled)
    worker = Worker(job, prepare(job.name, job.options))
    worker.start()
    return worker
