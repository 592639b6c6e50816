"""What an entry says about itself: `submission.yaml` in a folder of its own."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gytbench.plain_yaml import read_yaml_file
from gytbench.predictions import Task

FILE = "submission.yaml"

Line = Annotated[str, Meta(min_length=1, max_length=200)]
"""Text of one line."""
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]

Supervision = Literal["none", "self", "weak", "full"]
"""What the system learned from: `none`, no training on videos; `self`, videos and their
narrations; `weak`, labels of videos or their order; `full`, segments, points or boxes."""
Modality = Literal["video", "video+text", "video+audio", "video+text+audio", "text", "nothing"]
"""What the system is given of a test video."""


class PredictionsOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The predictions of one task: a file in the entry's folder, or one that is fetched."""

    file: Annotated[str, Meta(max_length=100)] = ""
    """Its name, in the entry's folder."""
    url: Annotated[str, Meta(max_length=500)] = ""
    """Where else it is fetched from, by https."""
    sha256: Sha256
    """Of the file as it lies there, compressed."""
    size: Annotated[int, Meta(ge=1, le=2**40)]
    """Bytes, likewise."""


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry: a system, who made it, what it learned from, and its predictions."""

    system: Annotated[str, Meta(min_length=1, max_length=60)]
    """Its name, as the table shows it."""
    authors: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=50)]
    date: Day
    """Of the paper or, where there is none, of the system."""
    paper: Annotated[str, Meta(max_length=500)] = ""
    """An https address; of this and `code`, one is needed."""
    code: Annotated[str, Meta(max_length=500)] = ""
    backbone: Line
    training_data: Annotated[tuple[Line, ...], Meta(max_length=20)]
    """Datasets; empty = none."""
    supervision: Supervision
    modality: Modality
    tuned_on_test: bool
    """Whether tau or anything else was chosen on the test set."""
    tuned: Annotated[str, Meta(max_length=500)] = ""
    """What, and how; needed where `tuned_on_test` is true."""
    notes: Annotated[str, Meta(max_length=2000)] = ""
    citation: Annotated[str, Meta(max_length=5000)] = ""
    """BibTeX."""
    contact: Annotated[str, Meta(max_length=200)] = ""
    predictions: dict[Task, PredictionsOf]
    """By task, one at least."""


def read_submission(path: Path) -> Submission:
    """The submission of a file; raises `InputError` for what is not of this form."""
    return read_yaml_file(path, Submission)
