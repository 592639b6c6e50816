"""A diagnosis as text for the terminal and as JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec
from tabulate import tabulate

from gytbench.diagnosis import Diagnosis
from gytbench.report.tables import percent

_NO_REGIONS = "No tube has a region, so that tubes have no causes of error."


def diagnosis_tables(found: Diagnosis) -> str:
    """Every part of a diagnosis, one table after another."""
    blocks = [_causes(found), _factors(found)]
    blocks += [_sensitivity(name, bins) for name, bins in found.sensitivity.items()]
    blocks += [_calibration(found), _tau(found)]
    return "\n\n".join(block for block in blocks if block)


def diagnosis_json(found: Diagnosis) -> bytes:
    """The same as JSON, complete; fractions, null where a value is not defined."""
    content = {
        "threshold": found.threshold,
        "video_map": found.video_map,
        "tubes": found.tubes,
        "right": found.right,
        "instances": found.instances,
        "causes": [cause._asdict() for cause in found.causes],
        "factors": found.factors._asdict(),
        "sensitivity": {
            name: [each._asdict() for each in bins] for name, bins in found.sensitivity.items()
        },
        "calibration": [each._asdict() for each in found.calibration],
        "tau": {
            "tau": found.tau.tau.tolist(),
            "iou_point": found.tau.iou_point.tolist(),
            "label_iou": found.tau.label_iou.tolist(),
            "tubes": found.tau.tubes.tolist(),
            "best": found.tau.best,
            "best_is_chosen_on_the_test_set": True,
        },
    }
    # msgspec writes NaN as null.
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def _causes(found: Diagnosis) -> str:
    if not found.causes:
        return _NO_REGIONS
    rows = [(cause.name, f"{cause.total:,}", f"{100 * cause.gain:+.2f}") for cause in found.causes]
    lines = [
        f"Tubes at tube IoU {found.threshold:g}: {found.right:,} of {found.tubes:,} are right, "
        f"{found.instances:,} instances, video mAP {percent(found.video_map)}",
        "",
        _table(("cause of error", "tubes", "mAP if mended"), rows),
        "",
        "missed counts instances that no tube was near. Gains do not add up.",
    ]
    return "\n".join(lines)


def _factors(found: Diagnosis) -> str:
    parts = found.factors
    rows = [
        (
            "time",
            "predicted seconds that are covered, and the other way round",
            _percent(parts.time),
        ),
        ("label", "of these, the label is right", _percent(parts.label)),
        ("place", "of these, the point is in the box", _percent(parts.place)),
        ("iou_point", "F / (2 - F) with F = time x label x place", _percent(parts.iou_point)),
    ]
    return _table(("IoU+Point", "", "in percent"), rows)


def _sensitivity(name: str, bins: Sequence[Any]) -> str:
    rows = [
        (
            each.name,
            f"{each.instances:,}",
            _percent(each.label_found),
            _percent(each.point_found),
            _percent(each.tube_found),
        )
        for each in bins
    ]
    heads = (
        f"by {name}",
        "instances",
        "seconds with\nright label",
        "and right\npoint",
        "found by\na tube",
    )
    return _table(heads, rows)


def _calibration(found: Diagnosis) -> str:
    rows = [
        (
            f"{each.low:.4g} to {each.high:.4g}",
            f"{each.tubes:,}",
            f"{each.mean_score:.4g}",
            _percent(each.right),
        )
        for each in found.calibration
    ]
    return _table(("scores", "tubes", "mean score", "right, %"), rows) if rows else ""


def _tau(found: Diagnosis) -> str:
    sweep = found.tau
    if not sweep.tau.size:
        return ""
    best = sweep.best
    return (
        f"Without seconds below tau = {sweep.tau[best]:.4g}, IoU+Point would be "
        f"{_percent(sweep.iou_point[best])} instead of {_percent(sweep.iou_point[0])}. "
        "This tau is chosen on the test set: it is no result."
    )


def _percent(value: float) -> str:
    return percent(None if value != value else value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    numbers = len(heads) - 1
    aligned = ("left", *("right",) * numbers) if heads[1] else ("left", "left", "right")
    return tabulate(rows, headers=heads, colalign=aligned, disable_numparse=True)
