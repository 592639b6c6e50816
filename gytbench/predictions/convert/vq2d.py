"""Ego4D VQ2D challenge JSON: response tracks by video, clip, annotation and query set.

{"version", "challenge": "ego4d_vq2d_challenge", "results": {"videos": [{"video_uid", "clips":
[{"clip_uid", "predictions": [{"query_sets": {"1": {"bboxes": [{"fno", "x1", "y1", "x2", "y2"}],
"score"}}}]}]}]}}. Frames count from 0 in the clip, at 5 a second unless --fps says otherwise;
corners are continuous, in the pixels of the clip (`frame_width` and `frame_height`, where the
file has them). The video of a tube is the clip. A query is CLIP_ANNOTATION_SET, counted from 0,
for --queries; else --label names it. Source: EGO4D/episodic-memory, VQ2D (structures.py and the
challenge's submission format).
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import msgspec

from gytbench.errors import InputError
from gytbench.inputs import open_input
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.json_pieces import JsonPieces
from gytbench.predictions.convert.labels import query_of
from gytbench.predictions.convert.tubes import (
    Row,
    check_box,
    entries_of,
    frame_of,
    lose_fields,
    lose_interval,
    scaled,
    tube_of,
)
from gytbench.predictions.schema import FrameSize, Tube

PIXELS = True
FPS = 5.0


class _Frame(msgspec.Struct):
    fno: int
    x1: float
    y1: float
    x2: float
    y2: float


class _Track(msgspec.Struct):
    bboxes: list[_Frame]
    score: float | None = None


class _Annotation(msgspec.Struct):
    query_sets: dict[str, _Track]


class _Clip(msgspec.Struct):
    clip_uid: str
    predictions: list[_Annotation]


class _Video(msgspec.Struct, omit_defaults=True):
    video_uid: str
    clips: list[_Clip]
    frame_width: float | None = None
    frame_height: float | None = None


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """A tube for each response track; one video is in memory at a time."""
    with open_input(path) as file:
        pieces = JsonPieces(file, str(path))
        for key in pieces.members():
            if key != "results":
                pieces.skip()
                continue
            for inner in pieces.members():
                if inner != "videos":
                    pieces.skip()
                    continue
                for index in pieces.elements():
                    where = f"$.results.videos[{index}]"
                    video = pieces.value(_Video, where)
                    yield from _tubes(video, f"{path}: {where}", options, report)
        pieces.end()


def _tubes(video: _Video, where: str, options: Options, report: Report) -> Iterator[Tube]:
    size = None
    if video.frame_width and video.frame_height:
        size = (video.frame_width, video.frame_height)
    for at, clip in enumerate(video.clips):
        for number, annotation in enumerate(clip.predictions):
            for name, track in annotation.query_sets.items():
                place = f"{where}.clips[{at}].predictions[{number}].query_sets[{name!r}]"
                if name.endswith("-gt"):
                    report.lose("ground truth among the predictions")
                elif not track.bboxes:
                    report.lose("response tracks without a box")
                else:
                    told = {
                        "video_uid": video.video_uid,
                        "clip_uid": clip.clip_uid,
                        "annotation": number,
                        "query_set": name,
                    }
                    yield _tube(track, told, size, place, options, report)


def _tube(
    track: _Track,
    told: dict[str, Any],
    size: FrameSize | None,
    where: str,
    options: Options,
    report: Report,
) -> Tube:
    key = f"{told['clip_uid']}_{told['annotation']}_{told['query_set']}"
    asked = query_of(key, options, where)
    fps = asked.fps or options.fps or FPS
    video = asked.video if options.queries else told["clip_uid"]
    score = 1.0 if track.score is None else track.score
    rows = []
    for index, each in enumerate(track.bboxes):
        box = check_box((each.x1, each.y1, each.x2, each.y2), f"{where}.bboxes[{index}]")
        until = (each.fno + 1) / fps
        rows.append(
            Row(where, video, asked.label, each.fno / fps, until, score, box, frame_size=size)
        )
    rows.sort(key=lambda row: row.time)
    return tube_of(rows, report, instance=asked.instance, meta={"vq2d": told})


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A response track for each tube; the tubes of a video must lie together."""
    head = {"version": "1.0.5", "challenge": "ego4d_vq2d_challenge"}
    file.write(msgspec.json.encode(head)[:-1] + b',"results":{"videos":[')
    seen: set[str] = set()
    for uid, group in groupby(tubes, key=lambda placed: _told(placed.tube)["video_uid"]):
        members = list(group)
        if uid in seen:
            reason = f"the tubes of video {uid!r} do not lie together; sort them by video"
            raise InputError(reason, where=members[0].where)
        video = _video(uid, members, options, report)
        file.write((b",\n" if seen else b"\n") + msgspec.json.encode(video))
        seen.add(uid)
    file.write(b"\n]}}\n")


def _told(tube: Tube) -> dict[str, Any]:
    """Where a tube stands in the file: its `meta`, else an annotation of its own."""
    told = (tube.meta or {}).get("vq2d")
    plain = {"video_uid": str, "clip_uid": str, "annotation": int, "query_set": str}
    if isinstance(told, dict) and all(type(told.get(k)) is kind for k, kind in plain.items()):
        return told
    return {"video_uid": tube.video, "clip_uid": tube.video, "annotation": None, "query_set": "1"}


def _video(uid: str, members: list[Placed], options: Options, report: Report) -> _Video:
    clips: dict[str, list[dict[str, _Track]]] = {}
    places: dict[tuple[str, int], int] = {}
    sizes = set()
    for placed in members:
        told = _told(placed.tube)
        clip = clips.setdefault(told["clip_uid"], [])
        sizes.add(frame_of(placed, options.frame_size))
        own = told["annotation"]
        place = None if own is None else places.get((told["clip_uid"], own))
        if place is None or told["query_set"] in clip[place]:
            clip.append({})
            place = len(clip) - 1
            if own is not None:
                places.setdefault((told["clip_uid"], own), place)
        clip[place][told["query_set"]] = _track(placed, options, report)
    made = [_Clip(name, [_Annotation(sets) for sets in found]) for name, found in clips.items()]
    width, height = sizes.pop()
    if sizes:
        reason = "tubes of one video have several frames; give --frame-size WxH"
        raise InputError(reason, where=members[0].where)
    return _Video(uid, made, width, height)


def _track(placed: Placed, options: Options, report: Report) -> _Track:
    tube = placed.tube
    kept = ["boxes", "frame_size"]
    if set(tube.meta or ()) <= {"vq2d"}:
        kept.append("meta")
    lose_fields(tube, report, kept)
    report.lose("labels")
    fps = options.fps or FPS
    size = frame_of(placed, options.frame_size)
    frames, seconds = [], []
    for entry in entries_of(placed):
        if entry.box is not None:
            seconds.append(entry.second)
            box = scaled(entry.box, tube.frame_size or (1.0, 1.0), size)
            frames.append(_Frame(round(entry.second * fps), *box))
    lose_interval(tube, seconds, report)
    return _Track(frames, tube.score)
