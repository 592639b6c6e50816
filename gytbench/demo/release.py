"""Annotations written in the layout of the released files."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Box = Sequence[float]
"""x1, y1, x2, y2 in pixels of the annotation frame."""


class Cue(NamedTuple):
    """What a subtitle file says of a segment, in seconds."""

    start: float
    end: float
    text: str


class Release(NamedTuple):
    """What the released files say."""

    segments: Mapping[str, Sequence[Mapping[str, Any]]]
    """By video, the rows of seg.json: "segment" (first and last second), "id", "sentence"."""
    cues: Mapping[str, Sequence[Cue]]
    """By video: the subtitles of MiningYouTube."""
    boxes: Mapping[str, Mapping[tuple[str, int], Box]]
    """By release (`published`, `readme`, `latest`): the box of a video's second."""
    steps: Mapping[tuple[str, int], str]
    """What is done in a second that has a box."""
    first_round: Sequence[Mapping[str, Any]]
    second_round: Sequence[Mapping[str, Any]]
    """Mean points, as the two annotation rounds store them."""
    frames: Mapping[str, tuple[int, int]]
    """By video: width and height of the annotation frame."""
    native: Mapping[str, Sequence[int]]
    """By video: width and height of the video that the first round was made on."""


def write_release(release: Release, folder: Path) -> None:
    """Write the files below `folder`, which may exist already."""
    main, cues = folder / "groundingyoutube", folder / "miningyoutube" / "annotations"
    main.mkdir(parents=True, exist_ok=True)
    cues.mkdir(parents=True, exist_ok=True)
    for name, content in _files(release).items():
        (main / name).write_text(json.dumps(content), encoding="utf-8")
    for video, rows in release.cues.items():
        (cues / f"{video}.srt").write_text(_srt(rows), encoding="utf-8")


def _files(release: Release) -> dict[str, Any]:
    longer = {
        video: [row for row in rows if 3 <= row["segment"][1] - row["segment"][0] <= 20]
        for video, rows in release.segments.items()
    }
    spoken = {v: [row["sentence"].replace("_", " ") for row in rows] for v, rows in longer.items()}
    return {
        "seg.json": release.segments,
        "ground_seg_3to20.json": {
            video: [{**row, "id": number} for number, row in enumerate(rows)]
            for video, rows in longer.items()
        },
        "vid2step.json": {v: [*dict.fromkeys(names), "background"] for v, names in spoken.items()},
        "GoundingYouTubeBox.json": _with_steps(release),
        "id2xy_box.json": _by_video(release, "readme"),
        "id2xy_box_new_s.json": _by_video(release, "latest"),
        "id2wh.json": release.native,
        "id2wh_new.json": release.frames,
        "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json": release.second_round,
        "pumpkin_youtube_annotation_full_agg_subset.json": release.first_round,
    }


def _with_steps(release: Release) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {video: {} for video in release.segments}
    for (video, second), box in release.boxes["published"].items():
        step = release.steps[video, second].replace("_", " ")
        rows[video][str(second)] = {"box": box, "step": step}
    return rows


def _by_video(release: Release, name: str) -> dict[str, dict[str, Box]]:
    rows: dict[str, dict[str, Box]] = {video: {} for video in release.segments}
    for (video, second), box in release.boxes[name].items():
        rows[video][str(second)] = box
    return rows


def _srt(rows: Iterable[Cue]) -> str:
    cues = [
        f"{number}\n{_clock(row.start)} --> {_clock(row.end)}\n{row.text}\n"
        for number, row in enumerate(rows, 1)
    ]
    return "\ufeff" + "\n".join(cues)


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"00:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"
