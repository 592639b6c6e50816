"""The report as one page of HTML: what the template is given, and the data of its tables."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gytbench.evaluation import Score
from gytbench.report.html.canvas import SHAPES
from gytbench.report.html.diagnosis_charts import FEW, diagnosis_charts, share
from gytbench.report.html.inputs import ReportInputs, Span, VideoView
from gytbench.report.html.meanings import CAUSES, FIELDS, NO_DIAGNOSIS
from gytbench.report.html.summary import ranges_chart, rows, scored_references
from gytbench.report.html.templates import page_templates
from gytbench.writing import write_whole

_HERE: Final = Path(__file__).parent
_COUNTS: Final = {"instances", "units", "videos", "classes", "tubes"}
"""Columns that hold numbers of things; all others hold fractions."""


def write_report(path: Path, inputs: ReportInputs) -> None:
    """Write the report to a file, whole or not at all; `-` is standard output."""
    write_whole(path, render_report(inputs))


def render_report(inputs: ReportInputs) -> bytes:
    """The report as one HTML file in UTF-8 that fetches nothing.

    Raises InputError where Jinja2 is not installed.
    """
    template = page_templates(_HERE).get_template("report.html.jinja")
    return template.render(_shown(inputs)).encode()


def _shown(inputs: ReportInputs) -> dict[str, Any]:
    result = inputs.result
    references = scored_references(inputs.references)
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    return {
        "inputs": inputs,
        "result": result,
        "references": references,
        "absent": {k: v for k, v in inputs.references.items() if isinstance(v, str)},
        "rows": rows(inputs, references),
        "ranges": ranges_chart(inputs, references),
        "shapes": SHAPES,
        "fields": [part.partition(":")[::2] for part in result.signature.split("|")],
        "meanings": FIELDS,
        "charts": diagnosis_charts(inputs.diagnosis) if inputs.diagnosis else None,
        "causes": CAUSES,
        "few": FEW,
        "share": share,
        "no_diagnosis": NO_DIAGNOSIS.get(result.task, NO_DIAGNOSIS["st"]),
        "style": (_HERE / "report.css").read_text(encoding="utf-8"),
        "script": script,
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "gallery": [
            (kind, [(each, _address(each.svg)) for each in inputs.gallery if each.kind == kind])
            for kind in ("best", "worst", "typical")
        ],
        "tables": script_json(
            {
                "classes": _table("class", result.per_class),
                "videos": _table("video", result.per_video),
            }
        ),
        "views": script_json(_views(inputs.videos)),
    }


def script_json(content: object) -> str:
    """JSON that may stand in a script element: no text in it can end the element.

    `<!--` could change what ends it.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def _table(first: str, found: Mapping[str, Mapping[str, Score]]) -> dict[str, Any]:
    """Rows with their name first, and the kind of every column."""
    names = list(dict.fromkeys(name for row in found.values() for name in row))
    kinds = ["count" if name in _COUNTS else "percent" for name in names]
    return {
        "columns": [[first, "text"], *map(list, zip(names, kinds, strict=True))],
        "rows": [[name, *(row.get(column) for column in names)] for name, row in found.items()],
    }


def _views(videos: Mapping[str, VideoView]) -> dict[str, Any]:
    """The videos, with every class written once and numbers as short as they can be."""
    labels: dict[str, int] = {}

    def spans(of: tuple[Span, ...]) -> list[list[float | None]]:
        return [
            [
                _short(each.start),
                _short(each.end),
                labels.setdefault(each.label, len(labels)),
                None if each.score is None else float(f"{each.score:.4g}"),
            ]
            for each in of
        ]

    shown = {
        name: {
            "duration": _short(view.duration),
            "truth": spans(view.truth),
            "predicted": spans(view.predicted),
            "ignored": [[_short(start), _short(end)] for start, end in view.ignored],
            "counts": list(view.counts.items()),
            "gallery": [
                [each.kind, each.verdict, each.caption, _document(each.svg)]
                for each in view.gallery
            ],
        }
        for name, view in videos.items()
    }
    return {"labels": list(labels), "videos": shown}


def _address(svg: str) -> str:
    """The SVG as an image of its own, in which nothing can run."""
    return "data:image/svg+xml;base64," + base64.b64encode(_document(svg).encode()).decode()


def _short(seconds: float) -> float:
    rounded = round(float(seconds), 3)
    return int(rounded) if rounded.is_integer() else rounded


def _document(svg: str) -> str:
    """The SVG with the namespace that an image of its own needs."""
    head = svg[: svg.find(">") + 1]
    if "xmlns=" in head:
        return svg
    return svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
