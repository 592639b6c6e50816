"""How released files can contradict each other: an unknown video, an unknown step."""

from collections.abc import Container, Iterable

from gytbench.benchmark.classes import ClassMap
from gytbench.errors import Fault


def unknown_videos(videos: Iterable[str], known: Container[str], where: str) -> list[Fault]:
    """A fault for every key of a JSON file that is no video of the benchmark."""
    return [
        Fault(f'{where}: $["{video}"]', "this video is not in id2wh_new.json", "unknown video")
        for video in videos
        if video not in known
    ]


def unknown_step(step: str, classes: ClassMap, where: str) -> Fault:
    """A fault that names what the step might have meant."""
    close = classes.suggest(step)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return Fault(where, f"step {step!r} is not in the class map{hint}", "unknown step")
