"""The audit as one page of HTML with pictures, which needs no network."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gytbench.audit.audit import EXPLAINED_ROWS, Audit, Outcome
from gytbench.audit.drawings import Drawing, Place, draw
from gytbench.audit.images import VideoFolder
from gytbench.audit.release import Release
from gytbench.audit.rules import Finding
from gytbench.errors import InputError

_TEMPLATE = "page.html.jinja"

_GRADIENT_STOPS = 12

T = TypeVar("T")


@dataclass(frozen=True)
class Section:
    """One rule on the page: all its counts, some of its places."""

    outcome: Outcome
    shown: tuple[Finding, ...]
    drawings: tuple[Drawing, ...]


def audit_page(release: Release, found: Audit, pictures: int, videos: Path | None = None) -> bytes:
    """The page as UTF-8.

    pictures: how many places of each rule are shown; places in `videos`, a folder
    of videos, come first, with their frame. Raises `InputError` where Jinja2, or for
    videos PyAV, is not installed, and where that folder cannot be read.
    """
    try:
        import jinja2
    except ImportError:
        raise InputError("--page needs Jinja2: pip install 'gytbench[report]'") from None
    folder = None if videos is None else VideoFolder(videos)
    sections = _sections(release, found, pictures, folder)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template(_TEMPLATE).render(
        found=found,
        sections=sections,
        explained_rows=EXPLAINED_ROWS,
        gradient=gradient(),
        with_videos=folder is not None,
        videos=len(release.videos),
        instances=len(release.instances),
    )
    return text.encode()


def gradient() -> list[tuple[float, float]]:
    """Offset and opacity of the stops of a Gaussian that ends at three standard deviations."""
    shares = [step / _GRADIENT_STOPS for step in range(_GRADIENT_STOPS + 1)]
    return [(share, math.exp(-4.5 * share**2)) for share in shares]


def _sections(
    release: Release, found: Audit, pictures: int, folder: VideoFolder | None
) -> list[Section]:
    shown = {
        outcome.rule.id: _choose(outcome.findings, pictures, folder) for outcome in found.outcomes
    }
    places: set[Place] = {
        (finding.video, finding.second)
        for outcome in found.outcomes
        if outcome.rule.pictured
        for finding in shown[outcome.rule.id]
        if finding.second is not None
    }
    images, notes = folder.images(places, release.frames) if folder else ({}, {})
    return [
        Section(
            outcome,
            shown[outcome.rule.id],
            tuple(draw(release, each, images, notes) for each in shown[outcome.rule.id])
            if outcome.rule.pictured
            else (),
        )
        for outcome in found.outcomes
    ]


def _choose(
    findings: Collection[Finding], limit: int, videos: VideoFolder | None
) -> tuple[Finding, ...]:
    """Findings from all over the list, those whose video is at hand before others."""
    at_hand = [finding for finding in findings if videos is not None and finding.video in videos]
    others = [finding for finding in findings if videos is None or finding.video not in videos]
    first = spread_out(at_hand, limit)
    return (*first, *spread_out(others, limit - len(first)))


def spread_out(items: Sequence[T], limit: int) -> list[T]:
    """At most `limit` items, evenly from the whole sequence."""
    count = min(limit, len(items))
    return [items[number * len(items) // count] for number in range(count)]
