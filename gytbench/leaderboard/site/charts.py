"""The charts below a table of the board: score against date, and time against place."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

from gytbench.leaderboard.ranking import Table, ranked_score
from gytbench.leaderboard.results import RANKED, EntryResults, Kind
from gytbench.leaderboard.site.rows import best_floor, table_span
from gytbench.leaderboard.site.strips import CSS, SHAPES, WHOLE, span_of
from gytbench.leaderboard.site.texts import shortened, visible
from gytbench.leaderboard.site.words import metric_title
from gytbench.report.html.canvas import Canvas, Key, Scale, room, ticks
from gytbench.report.tables import percent

_HEIGHT: Final = 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 328.0, 22.0, 252.0
_FIRST_YEAR, _LAST_YEAR = 2010, 2049
_MOST_LABELS: Final = 14
_CURVES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)


class Point(NamedTuple):
    """A mark of a chart, in pixels, with the name that may stand at it."""

    x: float
    y: float
    name: str
    title: str
    css: str
    shape: str


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, one: tuple[float, float], other: tuple[float, float]) -> "_Box":
        """Around a straight line along an axis."""
        (left, right), (top, bottom) = (sorted(ends) for ends in zip(one, other, strict=True))
        return cls(left, top - 1, right, bottom + 1)

    def meets(self, other: "_Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def progress_chart(table: Table, entries: Mapping[str, EntryResults]) -> Canvas | None:
    """The ranked metric against the date, with intervals; None without a dated submission."""
    dated = _dated(table, entries)
    if not dated:
        return None
    title = metric_title(RANKED[table.task])
    canvas = Canvas(f"{title} against date", _HEIGHT - 22)
    floor = best_floor(table, entries)
    span = table_span(table, floor)
    high = Scale(span.low, span.high, _BOTTOM, _TOP)
    years = _years(canvas, [when for _, when in dated])
    _rows(canvas, high, ticks(span.low, span.high))
    canvas.text("axis", 4, 11, "percent")
    _floor_line(canvas, table, floor, high)
    points = []
    for name, when in dated:
        scores, about = table.scores[name], entries[name].about
        score, found = ranked_score(scores), scores.intervals.get(RANKED[table.task])
        assert score is not None
        assert about is not None
        x, y = years(_year(when)), high(score)
        if found:
            canvas.line("whisker", x, high(found.low), x, high(found.high))
        words = f"{visible(about.system)}: {percent(score)} %, {when}"
        css = "mark tuned" if about.tuned_on_test else "mark own"
        points.append(Point(x, y, visible(about.system), words, css, "circle"))
    steps = _best_steps(dated, table, entries, years, high)
    if steps:
        canvas.path("curve best-line", steps)
    _draw(canvas, points, [_Box.around(*pair) for pair in pairwise(steps)])
    canvas.keys = _progress_keys(dated, entries, floor)
    canvas.description = "; ".join(each.title for each in points)
    left = len(table.better) - len(dated)
    canvas.note = f"Not drawn, for want of a usable date: {left}." if left else ""
    return canvas


def _dated(table: Table, entries: Mapping[str, EntryResults]) -> list[tuple[str, date]]:
    """The ranked submissions whose date can be drawn, the best first."""
    found = []
    for name in sorted(table.better, key=lambda each: -(ranked_score(table.scores[each]) or 0)):
        about = entries[name].about
        try:
            when = date.fromisoformat(about.date) if about else None
        except ValueError:
            continue
        if when and _FIRST_YEAR <= when.year <= _LAST_YEAR:
            found.append((name, when))
    return found


def _year(when: date) -> float:
    start = date(when.year, 1, 1)
    return when.year + (when - start).days / (date(when.year + 1, 1, 1) - start).days


def _years(canvas: Canvas, dates: Iterable[date]) -> Scale:
    """The axis of whole years."""
    years = [_year(each) for each in dates]
    first, last = int(min(years)), int(max(years)) + 1
    scale = Scale(first, last, _LEFT, _RIGHT)
    step = 1 + (last - first) // 7
    for year in range(first, last + 1, step):
        canvas.line("grid", scale(year), _TOP, scale(year), _BOTTOM)
        anchor = "end" if year == last else "middle"
        canvas.text("tick", scale(year), _BOTTOM + 16, str(year), anchor)
    return scale


def _rows(canvas: Canvas, scale: Scale, marks: Iterable[float]) -> None:
    for tick in marks:
        canvas.line("grid", _LEFT, scale(tick), _RIGHT, scale(tick))
        canvas.text("tick", _LEFT - 6, scale(tick) + 4, f"{100 * tick:.4g}", "end")
    canvas.line("base", _LEFT, _BOTTOM, _RIGHT, _BOTTOM)


def _floor_line(canvas: Canvas, table: Table, floor: str, scale: Scale) -> None:
    score = ranked_score(table.scores[floor]) if floor else None
    if score is not None:
        canvas.line("floor-line", _LEFT, scale(score), _RIGHT, scale(score))


def _best_steps(
    dated: list[tuple[str, date]],
    table: Table,
    entries: Mapping[str, EntryResults],
    years: Scale,
    high: Scale,
) -> list[tuple[float, float]]:
    """Steps through the best so far, of those that chose nothing on the test set."""
    best, places = -1.0, list[tuple[float, float]]()
    for name, when in sorted(dated, key=lambda each: (each[1], each[0])):
        about, score = entries[name].about, ranked_score(table.scores[name])
        if about is None or about.tuned_on_test or score is None or score <= best:
            continue
        x, y = years(_year(when)), high(score)
        if places:
            places.append((x, places[-1][1]))
        places.append((x, y))
        best = score
    return [*places, (_RIGHT, places[-1][1])] if places else []


def _progress_keys(
    dated: list[tuple[str, date]], entries: Mapping[str, EntryResults], floor: str
) -> tuple[Key, ...]:
    abouts = [entries[name].about for name, _ in dated]
    keys = [Key("95 % interval", "whisker", "line")]
    if any(about and not about.tuned_on_test for about in abouts):
        keys.insert(0, Key("submission", "mark own", "circle"))
        keys.append(Key("best so far, nothing chosen on the test set", "curve best-line", "line"))
    if any(about and about.tuned_on_test for about in abouts):
        keys.insert(1, Key("tuned on the test set", "mark tuned", "circle"))
    if floor:
        keys.append(Key(f"best floor: {floor}", "floor-line", "line"))
    return tuple(keys)


def place_chart(table: Table, entries: Mapping[str, EntryResults]) -> Canvas | None:
    """When against where: label IoU against pointing given label, of the task `st`.

    On a curve IoU+Point is the same: with l the label IoU and p the pointing given
    label, it is p l / (1 + l - p l). None where nothing has both.
    """
    known = [(name, time, place) for name, time, place in _times_and_places(table)]
    if not known:
        return None
    canvas = Canvas("When against where", _HEIGHT)
    times = [time for name, time, _ in known if entries[name].kind == "submission"]
    span = span_of([0.0, max(times) * 1.08], 5) if times else WHOLE
    across, up = Scale(span.low, span.high, _LEFT, _RIGHT), Scale(0, 1, _BOTTOM, _TOP)
    for tick in ticks(span.low, span.high):
        canvas.line("grid", across(tick), _TOP, across(tick), _BOTTOM)
        canvas.text("tick", across(tick), _BOTTOM + 16, f"{100 * tick:.4g}", "middle")
    _rows(canvas, up, ticks(0, 1))
    canvas.text("axis", 4, 11, "percent")
    canvas.text("axis", _LEFT, _BOTTOM + 38, "across: label IoU; up: pointing given label")
    _curves(canvas, span.high, across, up)
    points = [_place_point(entries[name], across(t), up(p), t, p) for name, t, p in known]
    beyond = sorted(f"{name} ({percent(time)})" for name, time, _ in known if time > span.high)
    _draw(canvas, points)
    canvas.keys = _place_keys({entries[name].kind for name, _, _ in known})
    canvas.description = "; ".join(each.title for each in points)
    if beyond:
        canvas.note = f"Drawn at the right edge, though beyond it: {', '.join(beyond)}."
    return canvas


def _times_and_places(table: Table) -> list[tuple[str, float, float]]:
    """Label IoU and pointing given label of all that have both, the best submission first."""
    found = []
    for name in sorted(table.scores, key=lambda each: -(ranked_score(table.scores[each]) or 0)):
        metrics = table.scores[name].metrics
        time, place = metrics.get("label_iou"), metrics.get("pointing_given_label")
        if time is not None and place is not None:
            found.append((name, time, place))
    return found


def _place_point(entry: EntryResults, x: float, y: float, time: float, place: float) -> Point:
    about = entry.about
    name = visible(about.system) if about else entry.entry
    tuned = about is not None and about.tuned_on_test
    words = f"{name}: label IoU {percent(time)} %, pointing given label {percent(place)} %"
    css = "mark tuned" if tuned else CSS[entry.kind]
    return Point(x, y, name, words, css, "circle" if about else SHAPES[entry.kind])


def _place_keys(kinds: set[Kind]) -> tuple[Key, ...]:
    names: tuple[Kind, ...] = ("submission", "floor", "ceiling")
    keys = [
        Key(kind, CSS[kind], "circle" if kind == "submission" else SHAPES[kind])
        for kind in names
        if kind in kinds
    ]
    return (*keys, Key("equal IoU+Point, percent", "iso", "line"))


def _curves(canvas: Canvas, most: float, across: Scale, up: Scale) -> None:
    """Curves of equal IoU+Point, each with its number where it leaves the chart."""
    drawn = [score for score in _CURVES if _place_at(score, most) <= 0.97]
    for score in drawn[-5:]:
        least = score / (1 + score) / (1 - score / (1 + score))
        steps = [least + (most - least) * each / 40 for each in range(41)]
        places = [(across(time), up(min(1.0, _place_at(score, time)))) for time in steps]
        canvas.path("curve iso", places)
        canvas.text("tick halo", _RIGHT - 2, places[-1][1] - 4, f"{100 * score:g}", "end")


def _place_at(score: float, time: float) -> float:
    """The pointing given label that makes an IoU+Point at a label IoU."""
    return score * (1 + time) / (time * (1 + score)) if time > 0 else float("inf")


def _draw(canvas: Canvas, points: list[Point], lines: Sequence[_Box] = ()) -> None:
    """Markers, the best on top, and as many of their names as find room beside the lines."""
    for each in reversed(points):
        canvas.marker(each.css, each.shape, each.x, each.y, each.title)
    taken = [_Box(each.x - 6, each.y - 6, each.x + 6, each.y + 6) for each in points]
    labelled = 0
    for place, each in enumerate(points):
        if labelled == _MOST_LABELS:
            return
        text = shortened(each.name, 20)
        others = [*taken[:place], *taken[place + 1 :], *lines]
        for x, y, anchor, box in _spots(each, room(text)):
            inside = box.left >= _LEFT and box.right <= _RIGHT + 6 and box.top >= _TOP - 4
            if inside and box.bottom <= _BOTTOM and not any(box.meets(other) for other in others):
                canvas.text("small halo", x, y, text, anchor)
                taken.append(box)
                labelled += 1
                break


def _spots(point: Point, width: float) -> list[tuple[float, float, str, _Box]]:
    """Where the name of a mark may stand, best first: x, y, anchor, and what it covers."""
    x, y, width = point.x, point.y, 0.9 * width
    return [
        (x + 8, y + 4, "start", _Box(x + 7, y - 6, x + 8 + width, y + 7)),
        (x - 8, y + 4, "end", _Box(x - 8 - width, y - 6, x - 7, y + 7)),
        (x, y - 9, "middle", _Box(x - width / 2, y - 19, x + width / 2, y - 7)),
        (x, y + 17, "middle", _Box(x - width / 2, y + 7, x + width / 2, y + 20)),
    ]
