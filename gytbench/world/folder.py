"""A narrated world as files: videos to train on with their narrations, and a benchmark.

world.json              the rules and the seed
train/videos/ID.mp4
train/captions.json     in HowTo100M's layout: by video "start", "end", "text"
test/videos/ID.mp4
test/data/              segments and boxes, in the layout of the released files
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from gytbench.demo.release import Cue, Release, write_release
from gytbench.demo.videos import write_video
from gytbench.errors import InputError
from gytbench.world.painting import RATE, box, frames
from gytbench.world.rules import Rules
from gytbench.world.stories import HEIGHT, WIDTH, Story, tell
from gytbench.writing import write_whole

_ABOUT = "world.json"
"""Written last: a world that has it is whole."""

_SCALE = 4
"""Of the annotation frame, 640x480, to the video."""


def write_world(
    folder: Path,
    rules: Rules,
    seed: int,
    *,
    train: int,
    validation: int,
    test: int,
    told: Callable[[], object] = lambda: None,
) -> None:
    """Write a world with so many videos of each kind; `told` is called after each video.

    A video's story follows from the seed, its kind and its number alone. Raises `InputError`
    where PyAV is missing, or the folder cannot be written to or holds a whole world already.
    """
    parts = {"train": train, "validation": validation, "test": test}
    try:
        if (folder / _ABOUT).exists():
            raise InputError("holds a world already: name another folder", where=str(folder))
        for kind, (part, count) in enumerate(parts.items()):
            stories = {
                _name(number): tell(rules, np.random.default_rng([seed, kind, number]))
                for number in range(count)
            }
            _write_part(folder / part, stories, annotated=part != "train", told=told)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(folder)) from None
    about = {"seed": seed, **parts, "rules": rules}
    write_whole(folder / _ABOUT, msgspec.json.format(msgspec.json.encode(about)))


def _write_part(
    folder: Path, stories: Mapping[str, Story], annotated: bool, told: Callable[[], object]
) -> None:
    videos = folder / "videos"
    videos.mkdir(parents=True, exist_ok=True)
    if annotated:
        write_release(_release(stories), folder / "data")
    else:
        write_whole(folder / "captions.json", msgspec.json.encode(_captions(stories)))
    for name, story in stories.items():
        write_video(videos / f"{name}.mp4", (WIDTH, HEIGHT), frames(story), RATE)
        told()


def _name(number: int) -> str:
    """Eleven characters, as the ids of the released files have."""
    return f"world-{number:05}"


def _captions(stories: Mapping[str, Story]) -> dict[str, dict[str, list[object]]]:
    return {
        name: {
            "start": [said.start for said in story.said],
            "end": [said.end for said in story.said],
            "text": [said.text for said in story.said],
        }
        for name, story in stories.items()
    }


def _release(stories: Mapping[str, Story]) -> Release:
    """Every second of every step has its exact box, in all releases."""
    acts = [(name, act) for name, story in stories.items() for act in story.acts]
    boxes = {
        (name, second): [value * _SCALE for value in box(act, second)]
        for name, act in acts
        for second in range(act.start, act.end)
    }
    steps = {(name, second): act.step for name, act in acts for second in range(act.start, act.end)}
    frame = (WIDTH * _SCALE, HEIGHT * _SCALE)
    return Release(
        segments={
            name: [
                {"segment": [act.start, act.end - 1], "id": number, "sentence": act.step}
                for number, act in enumerate(story.acts)
            ]
            for name, story in stories.items()
        },
        cues={
            name: [Cue(act.start, act.end, act.step) for act in story.acts]
            for name, story in stories.items()
        },
        boxes=dict.fromkeys(("published", "readme", "latest"), boxes),
        steps=steps,
        first_round=[],
        second_round=[
            {
                "image_url": f"world/{name}/{name}_{second}_{steps[name, second]}.jpg",
                "x": (x1 + x2) / 2,
                "y": (y1 + y2) / 2,
                "mean_dist": 0.0,
            }
            for (name, second), (x1, y1, x2, y2) in boxes.items()
        ],
        frames=dict.fromkeys(stories, frame),
        native=dict.fromkeys(stories, frame),
    )
