"""The audit as one page of HTML with pictures, which needs no network."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from gytbench.audit.audit import EXPLAINED_ROWS, Audit, Outcome
from gytbench.audit.drawings import Drawing, draw
from gytbench.audit.images import images_of
from gytbench.audit.release import Place, Release
from gytbench.audit.rules import Finding
from gytbench.benchmark import BOX_FILES
from gytbench.errors import InputError
from gytbench.scenes.folder import VideoFolder

_TEMPLATE = "page.html.jinja"

_GRADIENT_STOPS = 12

_RELEASES = {file: release for release, file in BOX_FILES.items()}

T = TypeVar("T")


class Shown(NamedTuple):
    """A finding that the page shows."""

    finding: Finding
    also: tuple[str, ...]
    """The other files in which the rule finds the same place."""

    @property
    def source(self) -> str:
        """The file, with the box release that it holds, and the others."""
        also = ", ".join(_RELEASES.get(file, file) for file in self.also)
        return label(self.finding.file) + (f"; also in {also}" if also else "")


@dataclass(frozen=True)
class Section:
    """One rule on the page: all its counts, some of its places."""

    outcome: Outcome
    shown: tuple[Shown, ...]
    drawings: tuple[Drawing, ...]
    """One for each of `shown`, or none at all."""


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
        label=label,
        with_videos=folder is not None,
        videos=len(release.frames),
        instances=len(release.instances),
    )
    return text.encode()


def label(file: str) -> str:
    """The file, for boxes after the name of their release: published (GoundingYouTubeBox.json)."""
    return f"{_RELEASES[file]} ({file})" if file in _RELEASES else file


def gradient() -> list[tuple[float, float]]:
    """Offset and opacity of the stops of a Gaussian that ends at three standard deviations."""
    shares = [step / _GRADIENT_STOPS for step in range(_GRADIENT_STOPS + 1)]
    return [(share, math.exp(-4.5 * share**2)) for share in shares]


def _sections(
    release: Release, found: Audit, pictures: int, folder: VideoFolder | None
) -> list[Section]:
    shown = {
        outcome.rule.id: _choose(_once(outcome.findings), pictures, folder)
        for outcome in found.outcomes
    }
    places: set[Place] = {
        (finding.video, finding.second)
        for outcome in found.outcomes
        if outcome.rule.pictured
        for finding, _ in shown[outcome.rule.id]
        if finding.second is not None
    }
    images, notes = images_of(folder, places, release.frames) if folder else ({}, {})
    return [
        Section(
            outcome,
            shown[outcome.rule.id],
            tuple(draw(release, each.finding, images, notes) for each in shown[outcome.rule.id])
            if outcome.rule.pictured
            else (),
        )
        for outcome in found.outcomes
    ]


def _once(findings: Iterable[Finding]) -> list[Shown]:
    """The findings, but a place that several files share for the first of them only.

    Faults of files as wholes have no place, and all are kept.
    """
    by_place: dict[tuple[str, int | None], dict[str, list[Finding]]] = {}
    whole: list[Shown] = []
    for each in findings:
        if each.video:
            files = by_place.setdefault((each.video, each.second), {})
            files.setdefault(each.file, []).append(each)
        else:
            whole.append(Shown(each, ()))
    shown = [
        Shown(each, tuple(files)[1:])
        for files in by_place.values()
        for each in next(iter(files.values()))
    ]
    return whole + shown


def _choose(
    findings: Collection[Shown], limit: int, videos: VideoFolder | None
) -> tuple[Shown, ...]:
    """Findings from all over the list, those whose video is at hand before others."""
    at_hand = [each for each in findings if videos is not None and each.finding.video in videos]
    others = [each for each in findings if videos is None or each.finding.video not in videos]
    first = spread_out(at_hand, limit)
    return (*first, *spread_out(others, limit - len(first)))


def spread_out(items: Sequence[T], limit: int) -> list[T]:
    """At most `limit` items, evenly from the whole sequence."""
    count = min(limit, len(items))
    return [items[number * len(items) // count] for number in range(count)]
