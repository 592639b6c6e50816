"""The page as text: what it holds, and that nothing in it can run or reach out."""

import base64
import builtins
import hashlib
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gytbench.benchmark import load_benchmark
from gytbench.demo import predict, write_annotations
from gytbench.diagnosis.model import CAUSES as ALL_CAUSES
from gytbench.diagnosis.model import Calibration, Diagnosis, Factors, TauSweep
from gytbench.errors import InputError
from gytbench.evaluation import Protocol
from gytbench.predictions import pack
from gytbench.report.html import ReportInputs, VideoView, render_report, views, write_report
from gytbench.report.html.canvas import Scale, ticks
from gytbench.report.html.diagnosis_charts import diagnosis_charts, identity
from gytbench.report.html.meanings import CAUSES, FIELDS
from gytbench.report.html.page import script_json
from gytbench.report.html.summary import scored_references
from tests.report.html.inputs import CLOSING, IMAGE, SCRIPT, diagnosis, hostile, inputs, result
from tests.report.html.made import demo


def page_of(given: ReportInputs) -> str:
    return render_report(given).decode()


def data_of(page: str, name: str) -> Any:
    found = re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found.group(1))


class Tags(HTMLParser):
    """The elements that a parser sees in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.names.append(tag)


def test_it_fetches_nothing_and_only_its_own_script_may_run() -> None:
    page = page_of(inputs())
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert not re.findall(r"url\(|@import|https?:(?!//www\.w3\.org/2000/svg)", page)
    script = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in page
    assert "default-src 'none'" in page


def test_markup_in_names_stays_text() -> None:
    page = page_of(hostile())
    assert page.count("</script") == 3
    assert "<!--" not in page
    tags = Tags(page).names
    assert tags.count("script") == 3
    # The one image is the gallery's own.
    assert tags.count("img") == 1
    assert 'src="data:image/svg+xml;base64,' in page
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert [row[0] for row in data_of(page, "tables")["videos"]["rows"]] == [SCRIPT, IMAGE]
    assert set(data_of(page, "views")["labels"]) == {IMAGE, CLOSING, SCRIPT}


def test_json_for_a_script_element_reads_back() -> None:
    text = script_json([CLOSING, "a</b", "<!-- -->"])
    assert "</" not in text
    assert "<!--" not in text
    assert json.loads(text) == [CLOSING, "a</b", "<!-- -->"]


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_every_task_of_the_demo(task: Any, tmp_path: Path) -> None:
    made = demo(tmp_path, task)
    page = page_of(made)
    assert ("There is no diagnosis" in page) == (task != "st")
    assert "95 % interval" in page
    tables = data_of(page, "tables")
    assert [row[0] for row in tables["videos"]["rows"]] == list(made.result.per_video)
    assert [row[0] for row in tables["classes"]["rows"]] == list(made.result.per_class)
    assert set(data_of(page, "views")["videos"]) == set(made.videos)
    for part in made.result.signature.split("|"):
        name, _, value = part.partition(":")
        assert FIELDS[name]
        assert f'<th scope="row">{name}</th><td><code>{value}</code></td>' in page


def test_every_cause_has_a_meaning() -> None:
    assert tuple(CAUSES) == ALL_CAUSES


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_views_of_the_demo(task: Any, tmp_path: Path) -> None:
    views = demo(tmp_path, task).videos
    assert len(views) == 6
    for view in views.values():
        spans = view.truth + view.predicted
        assert spans
        assert max(span.end for span in spans) <= view.duration
        assert bool(view.gallery) == bool(view.counts) == (task != "temporal")
        assert all(start < end for start, end in view.ignored)
        captions = [each.caption for each in view.gallery]
        assert len(set(captions)) == len(captions)
    if task == "st":
        assert {each.kind for view in views.values() for each in view.gallery} == {
            "best",
            "worst",
            "typical",
        }


def test_the_summary_names_floors_ceilings_and_what_is_absent() -> None:
    given = inputs()
    page = page_of(given)
    assert "annotators is not shown: needs a file that is not there" in page
    kinds = [(each.name, each.kind) for each in scored_references(given.references)]
    assert kinds == [
        ("uniform-segments", "floor"),
        ("oracle-time", "ceiling"),
        ("oracle-instance", "ceiling"),
    ]
    looks = {each.key.shape for each in scored_references(given.references)}
    assert len(looks) == 3
    own = {name: result() for name in ("low", "middle", "high")}
    assert [each.kind for each in scored_references(own)] == ["floor", "", "ceiling"]
    assert '<td class="number">36.00 to 43.00</td>' in page
    assert "1,000 resamples, seed 0" in page


def test_a_result_alone_is_enough() -> None:
    page = page_of(ReportInputs("alone", result()))
    assert "No diagnosis was made for this report." in page
    assert "95 % interval" not in page
    assert data_of(page, "views") == {"labels": [], "videos": {}}


def test_the_identity_of_the_factors_holds_as_written() -> None:
    factors = Factors(0.5, 0.5, 0.8, 0.2 / 1.8)
    expected = "F = 50.0 % x 50.0 % x 80.0 % = 20.0 %; IoU+Point = F / (2 - F) = 11.11 %"
    assert identity(factors) == expected
    assert expected in page_of(replace(inputs(), diagnosis=replace(diagnosis(), factors=factors)))


def test_few_instances_and_undefined_shares_are_marked() -> None:
    drawn = diagnosis_charts(diagnosis()).sensitivity[0]
    assert any("few" in mark.attributes["class"].split() for mark in drawn.marks)
    assert any(mark.text == "n/a" for mark in drawn.marks)
    assert "7 instances" in drawn.description


def test_the_best_tau_is_said_to_be_no_result() -> None:
    drawn = diagnosis_charts(diagnosis()).tau
    assert drawn is not None
    assert "chosen on the test set" in drawn.note
    assert any("chosen on the test set" in key.name for key in drawn.keys)


def bare() -> Diagnosis:
    """What a file of points, all with one score, leaves."""
    nan, none = float("nan"), np.array([])
    return replace(
        diagnosis(),
        video_map=None,
        causes=(),
        factors=Factors(nan, nan, nan, nan),
        sensitivity={},
        calibration=(),
        tau=TauSweep(none, none, none, none.astype(np.int64)),
    )


def test_a_diagnosis_with_nothing_in_it() -> None:
    page = page_of(replace(inputs(), diagnosis=bare()))
    assert "No tube has a region" in page
    assert "All predictions have the same score" in page
    assert "F = n/a x n/a x n/a = n/a" in page
    assert "nan" not in re.sub(r"<script.*?</script>", "", page, flags=re.S).lower().split()


def test_scores_that_are_no_shares_have_no_diagonal() -> None:
    ranges = (Calibration(-5, 0, 10, -2, 0.1), Calibration(0, 30, 10, 12, 0.4))
    drawn = diagnosis_charts(replace(diagnosis(), calibration=ranges)).calibration
    assert drawn is not None
    assert "not between 0 and 1" in drawn.note
    assert not any("diagonal" in mark.attributes["class"] for mark in drawn.marks)


def test_marks_stay_on_their_canvas() -> None:
    charts = diagnosis_charts(diagnosis())
    for canvas in (*charts.causes, charts.factors, *charts.sensitivity, charts.tau):
        assert canvas is not None
        for mark in canvas.marks:
            across = float(mark.attributes.get("x", 0)) + float(mark.attributes.get("width", 0))
            assert 0 <= across <= canvas.width
            assert 0 <= float(mark.attributes.get("y", 0)) <= canvas.height


def test_ticks_are_round() -> None:
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert ticks(0, 0.04) == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])
    assert ticks(0, 900, 4) == pytest.approx([0, 250, 500, 750])
    assert ticks(3, 3) == [3]
    assert Scale(0, 0, 10, 20)(5) == 15


def test_times_are_short_and_a_picture_is_a_document() -> None:
    page = page_of(inputs())
    views = data_of(page, "views")
    shown = views["videos"]["video000"]
    assert shown["duration"] == 180
    assert shown["truth"][1] == [8, 15, 1, None]
    assert shown["predicted"][2] == [18, 27, 2, 0.3333]
    assert shown["gallery"][0][3].startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox')
    odd = VideoView(duration=math.pi)
    page = page_of(replace(inputs(), videos={"video000": odd}))
    assert data_of(page, "views")["videos"]["video000"]["duration"] == 3.142


def test_it_is_the_same_every_time_and_written_whole(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", inputs())
    assert (tmp_path / "report.html").read_bytes() == render_report(inputs())


def test_without_jinja_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "jinja2":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"needs Jinja2: pip install 'gytbench\[report\]'"):
        render_report(inputs())


def test_the_gallery_of_the_whole_file(tmp_path: Path) -> None:
    made = demo(tmp_path, "st")
    kinds = [each.kind for each in made.gallery]
    # One of the typical frames is among the best already, and is shown once.
    assert [kinds.count(kind) for kind in ("best", "worst", "typical")] == [6, 6, 5]
    assert {each.verdict for each in made.gallery if each.kind == "best"} == {"right"}
    assert "right" not in {each.verdict for each in made.gallery if each.kind == "worst"}
    places = [(each.video, each.second) for each in made.gallery]
    assert len(set(places)) == len(places)
    page = page_of(made)
    assert page.count("<figcaption>") == 17 + page.count('<figure class="chart">')
    for video, second in places:
        assert f'<a href="#video={video}">{video}</a>, second {second}<' in page
    assert demo(tmp_path, "temporal").gallery == ()


def test_frames_that_take_too_much_room_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_annotations(tmp_path)
    benchmark = load_benchmark(data=tmp_path)
    protocol = Protocol("st")
    packed = pack(predict(benchmark, "st"), benchmark, "st")
    monkeypatch.setattr(views, "_ALL_PICTURES", 6 * 30_000)
    frame = "data:image/jpeg;base64," + "A" * 9000
    made = views.video_views(packed, benchmark, protocol, lambda _: frame)
    with_frame = [[frame in each.svg for each in view.gallery] for view in made.values()]
    assert all(shown[0] for shown in with_frame)
    assert not all(all(shown) for shown in with_frame)
    assert sum(len(each.svg) for view in made.values() for each in view.gallery) <= 6 * 30_000
