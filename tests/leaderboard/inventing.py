"""Invented entries of the leaderboard: scores that fit together, and text that is hostile."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from gytbench.bounds import BOUNDS
from gytbench.evaluation.result import Interval
from gytbench.evaluation.uncertainty import draw_videos, interval_of
from gytbench.leaderboard.results import (
    RANKED,
    EntryResults,
    Kind,
    Reported,
    ReportedRow,
    TaskScores,
)
from gytbench.leaderboard.submission import PredictionsOf, Submission

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = '"><img src=x onerror="document.title=1">'
CLOSING = "</script></style></title><!--<script>"
HIDDEN = "left\u202eright\u200b\u0000\u2066isolated"
STACKED = "Z" + "\u0335\u0321\u0300\u0301" * 12

VIDEOS = 100
_DRAWN = draw_videos(VIDEOS, 1000, 0)
_CLASSES = tuple(
    f"{verb}_{thing}"
    for verb in ("add", "cut", "pour", "stir", "peel")
    for thing in ("apple", "cream_cheese", "lemon_juice", "oil", "potato", "water")
)
_ENDS = {"published": "d0c54512", "repaired": "8e1f6b2a"}


@dataclass(frozen=True)
class Invented:
    """How good an invented system is: shares, and what is said of it."""

    name: str
    time: float
    place: float
    about: Mapping[str, Any]
    tasks: tuple[str, ...] = ("st", "spatial", "temporal")


def _about(system: str, date: str, backbone: str, learned: str, given: str, **more: Any) -> Any:
    return {
        "system": system,
        "authors": ("A. Baker", "B. Cook"),
        "date": date,
        "paper": f"https://papers.example/{system.lower().replace(' ', '-')}",
        "backbone": backbone,
        "training_data": ("HowTo100M",),
        "supervision": learned,
        "modality": given,
        "tuned_on_test": False,
    } | more


_SYSTEMS = (
    Invented(
        "first-steps", 0.10, 0.60, _about("First Steps", "2022-03-01", "S3D", "self", "video")
    ),
    Invented("wordless", 0.13, 0.63, _about("Wordless", "2022-11-15", "I3D", "none", "video")),
    Invented(
        "two-views",
        0.17,
        0.70,
        _about(
            "Two Views", "2023-06-18", "S3D", "self", "video+text", code="https://code.example/two"
        ),
    ),
    Invented(
        "two-views-audio",
        0.172,
        0.702,
        _about("Two Views + audio", "2023-09-02", "S3D", "self", "video+text+audio"),
    ),
    Invented(
        "kitchen-talk",
        0.21,
        0.72,
        _about(
            "KitchenTalk-L",
            "2024-06-17",
            "CLIP ViT-B/32",
            "self",
            "video+text",
            tuned_on_test=True,
            tuned="the threshold tau, on all 250 videos",
            training_data=("HowTo100M", "COIN"),
        ),
    ),
    Invented(
        "order-net",
        0.25,
        0.66,
        _about("OrderNet", "2024-10-01", "TimeSformer", "weak", "video"),
        ("st", "temporal"),
    ),
    Invented(
        "point-and-wait",
        0.08,
        0.86,
        _about("Point-and-Wait", "2025-01-20", "CLIP ViT-L/14", "none", "video"),
        ("st", "spatial"),
    ),
    Invented(
        "full-house",
        0.33,
        0.81,
        _about("FullHouse", "2025-06-11", "DINOv2 ViT-L/14", "full", "video"),
    ),
    Invented(
        "full-house-small",
        0.322,
        0.80,
        _about("FullHouse (small)", "2025-06-11", "DINOv2 ViT-S/14", "full", "video"),
    ),
    Invented(
        "transcript-only",
        0.11,
        0.62,
        _about("Transcript only", "2025-09-30", "GPT-2", "none", "text"),
        ("st", "temporal"),
    ),
    Invented(
        "grounded-chef",
        0.29,
        0.83,
        _about(
            "GroundedChef",
            "2026-02-14",
            "InternVideo2-1B",
            "weak",
            "video+text",
            authors=tuple(f"Author {letter}. Longlastname" for letter in "ABCDEFGHIJKL"),
            code="https://code.example/grounded-chef",
            notes="Trained for two days on one accelerator.\nThe second of two runs.",
            citation="@inproceedings{chef2026,\n  title = {GroundedChef},\n  year = {2026}\n}",
        ),
    ),
)
_BOUNDS = {
    "uniform-segments": (0.068, 0.664),
    "random": (0.02, 0.19),
    "oracle-time": (1.0, 0.672),
    "oracle-instance": (1.0, 0.999),
    "annotators": (1.0, 0.963),
    "centre": (0.0, 0.672),
    "mean-point": (0.0, 0.668),
    "class-mean-point": (0.0, 0.673),
    "heatmap-prior": (0.0, 0.671),
    "class-heatmap-prior": (0.0, 0.654),
}


def invented_entries() -> list[EntryResults]:
    """Eleven submissions, one of which has text that is markup, and every floor and ceiling."""
    return [*(invented_entry(each) for each in _SYSTEMS), hostile_entry(), *invented_bounds()]


def many_entries(count: int) -> list[EntryResults]:
    """`count` submissions to every task, and the floors and ceilings."""
    made = []
    for number in range(count):
        like = _SYSTEMS[number % len(_SYSTEMS)]
        about = {**like.about, "system": f"{like.about['system']} {number}"}
        share = number / count
        made.append(
            invented_entry(
                Invented(f"system-{number:03}", 0.05 + 0.3 * share, 0.5 + 0.3 * share, about)
            )
        )
    return [*made, *invented_bounds()]


def invented_bounds() -> list[EntryResults]:
    """Every floor and ceiling, with scores near to the real ones."""
    return [
        _entry(
            name,
            bound.kind,
            _scores(bound.tasks, *_BOUNDS[name], seed=len(name)),
            summary=bound.summary,
        )
        for name, bound in BOUNDS.items()
    ]


def invented_entry(system: Invented, flags: tuple[str, ...] = ()) -> EntryResults:
    """A submission, the same each time."""
    seed = int.from_bytes(system.name.encode(), "big") % 2**32
    scores = _scores(system.tasks, system.time, system.place, seed)
    predictions = {
        task: PredictionsOf(file=f"{task}.json.gz", sha256="5" * 64, size=1_234_567)
        for task in system.tasks
    }
    about = msgspec.convert({**system.about, "predictions": predictions}, Submission)
    return _entry(system.name, "submission", scores, about=about, flags=flags)


def hostile_entry() -> EntryResults:
    """A submission whose every text is markup, hidden characters, or far too long."""
    about = _about(SCRIPT[:60], "9999-99-99", IMAGE, "self", "video") | {
        "authors": (CLOSING, HIDDEN, STACKED, "W" * 200),
        "paper": 'javascript:alert("paper")',
        "code": 'https://code.example/"onmouseover="document.title=1',
        "training_data": (SCRIPT, "D" * 200),
        "tuned_on_test": True,
        "tuned": IMAGE + " and the words of a long excuse" * 9,
        "notes": CLOSING + HIDDEN + "N" * 400,
        "citation": "@misc{x,\n title={" + CLOSING + "}\n}" + "C" * 300,
        "contact": SCRIPT,
    }
    system = Invented("zz-hostile", 0.14, 0.66, about, ("st", "spatial"))
    return invented_entry(system, flags=(SCRIPT + " equals the released boxes in 97 % of seconds",))


def invented_reported() -> list[Reported]:
    """A paper with rows for two tasks, and one whose every text is markup."""
    row = ReportedRow(
        system="GROVE",
        table="Table 8",
        task="spatial",
        metrics={"pointing_accuracy": 72.14},
        backbone="LLaVA",
        supervision="full",
        notes="scored on a ground truth of its own, with the caption given",
    )
    paper = Reported(
        paper="A paper on grounded captions",
        url="https://papers.example/grove",
        date="2025-03-13",
        rows=(
            row,
            msgspec.structs.replace(row, system="WWW-S3D", metrics={"pointing_accuracy": 60.62}),
            ReportedRow(
                system="WWW-CLIP",
                table="Table 2",
                task="st",
                metrics={"iou_point": 12.5, "video_map@0.1:0.5": 3.1},
                notes="averages are not said",
            ),
        ),
    )
    odd = ReportedRow(
        system=SCRIPT, table=IMAGE, task="temporal", metrics={"iou": 19.2}, notes=CLOSING
    )
    return [paper, Reported(paper=IMAGE, url="http://plain.example", date=SCRIPT, rows=(odd,))]


def _entry(name: str, kind: Kind, scores: tuple[TaskScores, ...], **more: Any) -> EntryResults:
    return EntryResults(
        entry=name,
        kind=kind,
        protocol="1.0",
        package="0.1.0",
        data={"groundingyoutube": "a" * 64, "miningyoutube": "b" * 64},
        scores=scores,
        **({"about": None} | more),
    )


def _scores(tasks: Any, time: float, place: float, seed: int) -> tuple[TaskScores, ...]:
    made = []
    for task in tasks:
        releases = ("",) if task == "temporal" else tuple(_ENDS)
        for release in releases:
            better = 0.0 if release != "repaired" else -0.03
            made.append(invented_scores(task, release, time, place + better, seed))
    return tuple(made)


def signature(task: str, release: str = "published") -> str:
    """The signature of a task under the default protocol."""
    if task == "temporal":
        return (
            "gytbench:1.0|task:temporal|data:miningyoutube|classes:mining512"
            "|average:video-class|time:continuous|missing:miss"
        )
    fixed = "tube:volumetric|match:next-best" if task == "st" else "overlap:0.3"
    forgiving = "" if task == "st" else "|tolerance:0"
    return (
        f"gytbench:1.0|task:{task}|data:groundingyoutube|boxes:{release}@{_ENDS[release]}"
        f"|classes:mining512|subset:all|point:cell-first{forgiving}|region:0.5|{fixed}"
        "|ap:all-point|ties:grouped|missing:miss"
    )


def invented_scores(task: str, release: str, time: float, place: float, seed: int) -> TaskScores:
    """Scores of a system that is right in time and place as often as is said.

    The videos are as hard for all systems: two on the same videos are alike by pairs.
    """
    counts = _counts(time, place, seed)
    drawn = {
        name: np.divide(_DRAWN @ part, _DRAWN @ whole)
        for name, (part, whole) in _ratios(task, counts).items()
    }
    values = {
        name: float(part.sum() / whole.sum())
        for name, (part, whole) in _ratios(task, counts).items()
    }
    metrics: dict[str, float | None] = dict(values)
    intervals = {name: interval_of(drawn[name], values[name], 0, 1) for name in values}
    for name, share in _FURTHER[task].items():
        metrics[name] = min(1.0, share * values[RANKED[task]])  # type: ignore[operator]
        near = intervals[RANKED[task]]
        assert near is not None
        intervals[name] = Interval(
            near.low * share, min(1.0, near.high * share), near.mean * share, 1000
        )
    return TaskScores(
        signature=signature(task, release),
        task=task,
        metrics=metrics,
        intervals=intervals,
        counts={"videos": VIDEOS, "instances": 5091, "tubes": 5085},
        missing={"videos": seed % 3},
        per_class=_per_class(task, values[RANKED[task]], seed),
        notes=(),
        resampled=stored(drawn[RANKED[task]]),
    )


_FURTHER: dict[str, dict[str, float]] = {
    "st": {
        "iou_point_class_mean": 0.9,
        "iou_point_video_mean": 0.96,
        **{f"video_map@{each}": 1.5 - 2.6 * each for each in (0.1, 0.2, 0.3, 0.4, 0.5)},
        "video_map@0.1:0.5": 0.62,
    },
    "spatial": {"pointing_accuracy_class_mean": 0.97, "success@0.3": 0.8, "spatial_map@0.3": 0.56},
    "temporal": {"iod": 1.2},
}


def _counts(time: float, place: float, seed: int) -> dict[str, Any]:
    """Seconds of each video: covered, predicted, with the right label, right point."""
    hard = np.random.default_rng(1).beta(4, 4, VIDEOS) - 0.5
    own = np.random.default_rng(seed)
    covered = np.random.default_rng(2).integers(20, 150, VIDEOS).astype(float)
    predicted = covered.copy()
    share = np.clip(2 * time / (1 + time) * (1 - 0.8 * hard) + own.normal(0, 0.06, VIDEOS), 0, 1)
    if time == 1:
        share[:] = 1
    label = covered * share
    point = np.clip(place + 0.2 * hard * (1 - place) + own.normal(0, 0.06, VIDEOS), 0, 1)
    return {
        "covered": covered,
        "predicted": predicted,
        "label": label,
        "point": label * point,
        "hit": covered * point,
    }


def _ratios(task: str, counts: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    both = counts["covered"] + counts["predicted"]
    if task == "st":
        return {
            "iou_point": (counts["point"], both - counts["point"]),
            "label_iou": (counts["label"], both - counts["label"]),
            "pointing_given_label": (counts["point"], np.maximum(counts["label"], 1e-9)),
        }
    if task == "spatial":
        return {"pointing_accuracy": (counts["hit"], counts["covered"])}
    return {"iou": (counts["label"], both - counts["label"])}


def _per_class(task: str, score: float, seed: int) -> dict[str, dict[str, float | None]]:
    own = np.random.default_rng(seed)
    first = {"st": "instances", "spatial": "units", "temporal": "videos"}[task]
    found: dict[str, dict[str, float | None]] = {}
    for place, name in enumerate(_CLASSES):
        value = float(np.clip(score + own.normal(0, 0.12), 0, 1))
        found[name] = {first: place + 1, RANKED[task]: value}  # type: ignore[index]
    found["never_seen"] = {first: 0, RANKED[task]: None}  # type: ignore[index]
    return found


def stored(drawn: Any) -> str:
    """The ranked metric in each resample, as it is stored."""
    return base64.b64encode(np.asarray(drawn, dtype="<f4").tobytes()).decode()
