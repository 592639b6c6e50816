"""The profiles, one for each public evaluator: nothing but declarations."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gytbench.errors import InputError
from gytbench.predictions import Task
from gytbench.profiles.conventions import (
    TIME_THRESHOLDS,
    AnswerOverlap,
    FramePrecision,
    Pointing,
    Profile,
    Ranking,
    TimeAverage,
    TimePrecision,
    TubePrecision,
)

_ACT_RANKING = Ranking(ap="trapezoid", match="next-best", classes="named")
_ACT_PARTS = (
    TubePrecision(_ACT_RANKING, overlap="product", pixel=1, suppression=0.3),
    FramePrecision(_ACT_RANKING, pixel=1),
)
_ACT_FAULTS = (
    "the curve has no envelope and begins at precision 1: one wrong tube before the only "
    "right one leaves 0.25, not 0.5",
    "a class of the dataset without a true box counts 0",
)
_ACT_LIMITS = (
    "tubes are scored as they are in the file: the linker that makes tubes of boxes, and "
    "drops those under 15 frames, is no part of it",
    "where a tube has no box between its first and its last, the tool stops; here the mean "
    "runs over the seconds at which both tubes have one",
    "at a class that has predictions and no true box, the tool stops; here it counts 0 where "
    "an instance names it, and is left out elsewhere",
    "the tool leaves the order of equal scores open; here it is that of the file",
)

_VHICO_RANKING = Ranking(
    ap="10-of-11-point", match="first-choice", ties="reversed", classes="with-both"
)
_VHICO_FRAMES = FramePrecision(_VHICO_RANKING, pixel=1, top=10, top_of="class")
_ACTIVITYNET_RANKING = Ranking(ap="all-point", match="next-best", ties="reversed")
_ACTIVITYNET_PARTS = (TimePrecision(_ACTIVITYNET_RANKING, thresholds=TIME_THRESHOLDS),)
_THUMOS_PARTS = (TimePrecision(Ranking(ap="precision-sum", match="per-truth", strict=True)),)

_STVG_LIMITS = (
    "VidSTG and HC-STVG have a box at every frame; here seconds stand for frames, and an "
    "ignored second has no true box",
)

_PROFILES: Final = (
    Profile(
        name="act",
        used_by="ACT-detector, and video action detectors after it",
        parts={"st": _ACT_PARTS},
        faults=_ACT_FAULTS,
        limits=_ACT_LIMITS,
    ),
    Profile(
        name="moc",
        used_by="MOC-detector, on ACT's code",
        parts={"st": _ACT_PARTS},
        faults=_ACT_FAULTS,
        limits=(
            *_ACT_LIMITS,
            "MOC differs from ACT in its linker alone, so its numbers are those of act here",
        ),
    ),
    Profile(
        name="activitynet",
        used_by="ActivityNet Challenge, OpenTAD",
        parts={"st": _ACTIVITYNET_PARTS, "temporal": _ACTIVITYNET_PARTS},
        limits=(
            "a label that is nowhere in the ground truth is an error there; here it is left out",
        ),
    ),
    Profile(
        name="ava",
        used_by="AVA Challenge",
        parts={
            "st": (
                FramePrecision(
                    Ranking(ap="all-point", match="first-choice"), frames="annotated", top=50
                ),
            )
        },
        limits=(
            "annotated frames are the seconds with a box; predictions elsewhere are left out",
            "the variant in mmaction2 also leaves out the classes that are never predicted",
        ),
    ),
    Profile(
        name="tubedetr",
        used_by="TubeDETR, on VidSTG and HC-STVG",
        parts={
            "spatial": (AnswerOverlap(union="sampled", interpolate=False, unanswered="refused"),)
        },
        faults=(
            "the union counts sampled frames alone: the number hangs on how many were sampled, "
            "and is not that of STCAT",
        ),
        limits=(
            *_STVG_LIMITS,
            "sampled are the seconds at which the instance or the answer has a box",
            "the tool stops at a description without an answer, so such a file has no score",
        ),
    ),
    Profile(
        name="stcat",
        used_by="STCAT, on VidSTG and HC-STVG",
        parts={"spatial": (AnswerOverlap(union="every", interpolate=True, unanswered="left-out"),)},
        faults=("descriptions without an answer are left out: dropping hard ones raises a mean",),
        limits=_STVG_LIMITS,
    ),
    Profile(
        name="vq2d",
        used_by="Ego4D Visual Queries 2D",
        parts={"st": (TubePrecision(_ACTIVITYNET_RANKING, overlap="volumetric"),)},
        limits=("a query is a class here; success and recovery, which need one, are not given",),
    ),
    Profile(
        name="vhico",
        used_by="V-HICO",
        parts={
            "st": (
                replace(_VHICO_FRAMES, frames="annotated"),
                replace(_VHICO_FRAMES, frames="class", suffix="_ko"),
            ),
            "spatial": (replace(_VHICO_FRAMES, frames="annotated"),),
        },
        faults=(
            "ten recalls are added up and divided by eleven: a perfect detector scores 0.909",
            "classes that are never predicted are left out of the mean",
        ),
        limits=(
            "a pair of boxes is one box here, so the smaller of two IoUs is its IoU; the "
            "score is the file's, not a product of softmaxes",
        ),
    ),
    Profile(
        name="thumos",
        used_by="THUMOS'14, and the copy in TCFPN-ISBA",
        parts={"st": _THUMOS_PARTS, "temporal": _THUMOS_PARTS},
        faults=(
            "a true segment takes the best overlapping detection, however low its score: a "
            "better ranked one that would do counts as wrong",
        ),
    ),
    Profile(
        name="isba",
        used_by="TCFPN-ISBA and MuCon",
        parts={"temporal": (TimeAverage("isba", fps=30.0),)},
        limits=("frames are counted at 30 a second, the rate of MiningYouTube's frames",),
    ),
    Profile(
        name="videogem",
        used_by="VideoGEM",
        parts={
            "spatial": (Pointing(shift=-1, rounded=True),),
            "temporal": (TimeAverage("videogem", fps=1.0),),
        },
        faults=(
            "the picture of a second is that of the second before; second 0 has none and is "
            "left out",
            "classes that are never predicted are left out of IoD",
        ),
        limits=(
            "where the file says nothing of the second before, as before a clip, the second's "
            "own answer is taken",
        ),
    ),
    Profile(
        name="gyt-official",
        used_by="the script of the GroundingYouTube authors, and CoMMA",
        parts={"spatial": (Pointing(last="padded", heatmap="pixel"),)},
        faults=(
            "the last second of a clip is scored on a padding frame, and in a clip of a "
            "multiple of 16 seconds on the answer to the second before",
            "a heatmap that is highest at its border points at the border of the frame",
            "videos without an answer are left out",
        ),
        limits=(
            "what a system says of a black frame is not in the file: the point is taken to be "
            "the frame's first pixel, where a flat map has its maximum",
            "where the file says nothing of the second before the last, the last one's own "
            "answer is taken",
            "videos are taken to be resized to the annotation frame, as the boxes are",
            "the script's mean IoU and its mAP hang on an absolute threshold of the heatmap "
            "and are not given",
        ),
    ),
)

PROFILES: Final[Mapping[str, Profile]] = {profile.name: profile for profile in _PROFILES}
"""All profiles by name."""


def find_profile(name: str) -> Profile:
    """The profile of that name; raises `InputError` with all names where there is none."""
    if name not in PROFILES:
        raise InputError(f"unknown profile {name!r}: choose {', '.join(PROFILES)}")
    return PROFILES[name]


def profiles_of(task: Task) -> tuple[Profile, ...]:
    """The profiles that apply to a task."""
    return tuple(profile for profile in _PROFILES if task in profile.parts)
