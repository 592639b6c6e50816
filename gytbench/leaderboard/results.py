"""What the leaderboard stores of an entry: scores that were computed here, never sent."""

from typing import Literal

import msgspec

from gytbench.evaluation import Score
from gytbench.evaluation.result import Interval
from gytbench.leaderboard.submission import Submission
from gytbench.predictions import Task

Kind = Literal["submission", "floor", "ceiling"]

RANKED: dict[Task, str] = {
    "st": "iou_point",
    "spatial": "pointing_accuracy",
    "temporal": "iou",
}
"""The metric that a task is ranked by."""

RELEASES = ("published", "repaired")
"""The box releases that `st` and `spatial` are scored on, each a table of its own."""


class TaskScores(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One result: an entry's predictions of a task under one signature."""

    signature: str
    task: Task
    metrics: dict[str, Score]
    """Fractions."""
    intervals: dict[str, Interval | None]
    """95 %, over videos."""
    counts: dict[str, int]
    missing: dict[str, int]
    per_class: dict[str, dict[str, Score]]
    notes: tuple[str, ...]
    resampled: str
    """The ranked metric in each resample, as base64 of little-endian float32, NaN where it is
    not defined. The n-th resample of all entries has the same videos, so that two can be
    compared pair by pair."""


class EntryResults(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of `leaderboard/results`: everything scored of an entry."""

    entry: str
    """The name of its folder or, of a floor or ceiling, of the bound."""
    kind: Kind
    protocol: str
    """The version of the protocol."""
    package: str
    """The version of gytbench that scored it."""
    data: dict[str, str]
    """SHA-256 of the ground truth, by the data's name in signatures."""
    submission: str = ""
    """SHA-256 of submission.yaml; empty for floors and ceilings."""
    predictions: dict[Task, str] = {}
    """SHA-256 of the prediction files as they were scored."""
    about: Submission | None
    """None of floors and ceilings."""
    summary: str = ""
    """Of floors and ceilings: what they do."""
    flags: tuple[str, ...] = ()
    """What a reader should know, such as predictions that equal the released boxes."""
    scores: tuple[TaskScores, ...]


class ReportedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of a paper's table: its numbers are not ours, and never ranked."""

    system: str
    table: str
    """Such as "Table 2"."""
    task: Task
    metrics: dict[str, float]
    """Percent, by the names of our metrics where the meaning is the same."""
    backbone: str = ""
    data: str = ""
    """What it was trained on."""
    supervision: str = ""
    modality: str = ""
    notes: str = ""


class Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of `leaderboard/reported`: a paper."""

    paper: str
    url: str
    date: str
    rows: tuple[ReportedRow, ...]
