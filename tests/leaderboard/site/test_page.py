"""The pages as text: what they hold, what cannot run or be reached, what is left alone."""

import base64
import builtins
import hashlib
import re
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.leaderboard.ranking import tables
from gytbench.leaderboard.results import EntryResults, Reported
from gytbench.leaderboard.site import write_site
from gytbench.leaderboard.site.charts import place_chart, progress_chart
from gytbench.leaderboard.site.classes import FEW, class_fields, class_rows, outstanding
from gytbench.leaderboard.site.strips import Span, span_of, strip
from gytbench.leaderboard.site.texts import address, authors, bibtex, visible
from gytbench.leaderboard.site.words import metric_meanings, metric_title
from tests.leaderboard.inventing import (
    HIDDEN,
    STACKED,
    invented_bounds,
    invented_entries,
    invented_reported,
    many_entries,
    signature,
)


@pytest.fixture(scope="module")
def entries() -> list[EntryResults]:
    return invented_entries()


@pytest.fixture(scope="module")
def site(entries: list[EntryResults], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "deep" / "site"
    write_site(entries, invented_reported(), out)
    return out


def board(site: Path) -> str:
    return (site / "index.html").read_text(encoding="utf-8")


def page(site: Path, name: str) -> str:
    return (site / "entries" / f"{name}.html").read_text(encoding="utf-8")


class Seen(HTMLParser):
    """The elements and attributes that a parser sees, and the text of table rows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def rows_of(text: str, key: str) -> list[list[str]]:
    """The rows of a section's first table, each cell's text with single spaces."""
    section = re.search(rf'<section id="{key}".*?</section>', text, re.S)
    assert section
    table = re.search(r"<table.*?</table>", section.group(), re.S)
    assert table
    return [[" ".join(cell.split()) for cell in row] for row in Seen(table.group()).rows]


def test_every_page_fetches_nothing_and_runs_only_its_own_script(site: Path) -> None:
    for path in (site / "index.html", *sorted((site / "entries").iterdir())):
        text = path.read_text(encoding="utf-8")
        script = re.findall(r"<script>(.*?)</script>", text, re.S)
        style = re.findall(r"<style>(.*?)</style>", text, re.S)
        assert len(script) == len(style) == 1
        policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for kind, content in (("script-src", script[0]), ("style-src", style[0])):
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{kind} 'sha256-{digest}'" in policy
        assert not re.findall(r"url\(|@import|localStorage|sessionStorage|cookie", text)
        seen = Seen(text).tags
        assert not [tag for tag, attributes in seen if "src" in attributes or "style" in attributes]
        assert not [name for _, attributes in seen for name in attributes if name.startswith("on")]


def test_every_link_leads_to_a_page_an_anchor_or_by_https_outside(site: Path) -> None:
    anchors = {
        path: {attributes.get("id") for _, attributes in Seen(path.read_text()).tags}
        for path in (site / "index.html", *(site / "entries").iterdir())
    }
    followed = 0
    for path in anchors:
        for tag, attributes in Seen(path.read_text()).tags:
            link = attributes.get("href")
            if link is None or tag == "link":
                continue
            if link.startswith("https://"):
                assert attributes["rel"] == "noopener noreferrer nofollow ugc"
                continue
            name, _, fragment = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target in anchors, link
            assert not fragment or fragment in anchors[target], link
            followed += 1
    assert followed > 300


def test_text_that_is_markup_stays_text(site: Path) -> None:
    for text in (board(site), page(site, "zz-hostile")):
        tags = [tag for tag, _ in Seen(text).tags]
        assert tags.count("script") == 1
        assert tags.count("style") == 1
        assert tags.count("title") - text.count("<title>") == 0
        assert "img" not in tags
        assert "<!--" not in text
        assert "javascript:" not in re.findall(r'href="([^"]*)"', text)
        assert "&lt;script&gt;document.title" in text
    assert "not a link that can be followed" in page(site, "zz-hostile")


def test_characters_that_are_not_seen_are_shown(site: Path) -> None:
    for path in (site / "index.html", *(site / "entries").iterdir()):
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2069]", path.read_text()
        )
    assert visible(HIDDEN) == "left\ufffdright\ufffd\ufffd\ufffdisolated"
    assert len(visible(STACKED)) <= 4
    assert visible("two\nlines\tand Å") == "two\nlines\tand Å"
    assert visible("\ud800") == "\ufffd"


@pytest.mark.parametrize(
    "text",
    [
        "http://plain.example",
        "javascript:alert(1)",
        "https://user:secret@papers.example",
        "https://user@papers.example",
        "https://",
        "https://[",
        'https://a.example/"><b>',
        "https://a.example/ b",
        "https://p\u0430pers.example",
        "//papers.example",
    ],
)
def test_what_is_no_plain_https_address_is_no_link(text: str) -> None:
    assert address(text) == ""


def test_an_https_address_is_a_link() -> None:
    assert address("https://papers.example/a?b=c#d") == "https://papers.example/a?b=c#d"


def test_the_rows_stand_in_order_with_ranks_bounds_and_papers(
    site: Path, entries: list[EntryResults]
) -> None:
    rows = rows_of(board(site), "spatial-published")[1:]
    scores = [float(row[2].split()[0]) for row in rows if len(row) > 1]
    papers = rows.index(next(row for row in rows if len(row) == 1))
    assert scores[:papers] == sorted(scores[:papers], reverse=True)
    table = tables(entries)[2]
    by_link = re.findall(r'href="entries/([a-z0-9-]+)\.html"><bdi>', board(site))
    assert set(by_link) >= set(table.scores)
    for row in rows[:papers]:
        bound = next((name for name in BOUNDS if row[1].startswith(name)), None)
        if bound:
            assert row[0] == ""
            assert row[1] == f"{bound} {BOUNDS[bound].kind}"
        else:
            assert re.fullmatch(r"\d+=?", row[0])
    assert "not scored here" in rows[papers][0]
    assert [row[1] for row in rows[papers + 1 :]] == ["GROVE reported 1", "WWW-S3D reported 1"]
    assert [row[0] for row in rows[papers + 1 :]] == ["", ""]
    assert rows[papers + 1][2] == "72.14"


def test_a_shared_rank_is_marked(site: Path, entries: list[EntryResults]) -> None:
    table = tables(entries)[0]
    expected = {
        each.about.system: f"{table.rank(each.entry)}{'=' if table.tied(each.entry) else ''}"
        for each in entries
        if each.about and each.entry in table.better and each.entry != "zz-hostile"
    }
    assert any(rank.endswith("=") for rank in expected.values())
    rows = [row for row in rows_of(board(site), "st-published") if len(row) > 1]
    for system, rank in expected.items():
        row = next(
            row
            for row in rows
            if row[1].startswith((f"{system} A.", f"{system} tuned", f"{system} Author"))
        )
        assert row[0] == rank


def test_the_row_says_what_was_tuned_and_flagged(site: Path) -> None:
    rows = rows_of(board(site), "st-published")
    kitchen = next(row for row in rows if row[1].startswith("KitchenTalk-L"))
    assert "tuned on test" in kitchen[1]
    assert "flagged" not in kitchen[1]
    assert sum("tuned on test" in row[1] for row in rows if len(row) > 1) == 2
    assert sum("flagged" in row[1] for row in rows if len(row) > 1) == 1
    assert "equals the released boxes in 97 % of seconds" in page(site, "zz-hostile")
    assert "the threshold tau, on all 250 videos" in page(site, "kitchen-talk")


def test_the_notes_of_reported_rows_name_paper_table_and_convention(site: Path) -> None:
    text = " ".join(re.sub("<[^>]*>", "", board(site)).split())
    assert (
        "A paper on grounded captions, Table 8. "
        "scored on a ground truth of its own, with the caption given" in text
    )


def test_the_signature_and_the_data_are_told(site: Path) -> None:
    text = board(site)
    for each in ("st-published", "st-repaired"):
        section = text[text.index(f'<section id="{each}"') :]
        assert signature("st", each.removeprefix("st-")) in section.partition("</section>")[0]
    assert "groundingyoutube, SHA-256 <code>aaaaaaaaaaaaaaaa</code>" in text
    assert "protocol 1.0 · scored by gytbench 0.1.0" in text


def test_an_entry_has_its_metrics_between_floor_and_ceiling(
    site: Path, entries: list[EntryResults]
) -> None:
    rows = rows_of(page(site, "full-house"), "st-published")
    own = next(each for each in entries if each.entry == "full-house").scores[0]
    oracle = next(each for each in entries if each.entry == "oracle-time").scores[0]
    heads = rows[0]
    assert heads[4:] == ["flooruniform-segments", "ceilingoracle-time", "ceilingoracle-instance"]
    assert len(rows) == 1 + len(own.metrics)
    first = rows[1]
    assert first[:2] == ["IoU+Point", f"{100 * own.metrics['iou_point']:.2f}"]  # type: ignore[operator]
    found = own.intervals["iou_point"]
    assert found
    assert first[2] == f"{100 * found.low:.2f} to {100 * found.high:.2f}"
    assert first[5] == f"{100 * oracle.metrics['iou_point']:.2f}"  # type: ignore[operator]


def test_an_entry_names_who_is_better_alike_and_worse(
    site: Path, entries: list[EntryResults]
) -> None:
    table = tables(entries)[0]
    text = page(site, "grounded-chef")
    section = text[text.index('<section id="st-published"') :].partition("</section>")[0]
    groups = dict(re.findall(r"<dt>([^<]*)</dt><dd>(.*?)</dd>", section.partition("</dl>")[0]))
    named = {
        words: set(re.findall(r'href="([^"]*)\.html', found)) for words, found in groups.items()
    }
    worse = {name for name, above in table.better.items() if "grounded-chef" in above}
    assert named["Better beyond doubt"] == table.better["grounded-chef"]
    assert named["Worse beyond doubt"] == worse
    alike = table.better.keys() - worse - table.better["grounded-chef"] - {"grounded-chef"}
    assert named["Cannot be told apart from it"] == alike
    assert f"Rank <strong>{table.rank('grounded-chef')}</strong> of 12 submissions" in section


def test_classes_stand_against_median_and_best_of_the_submissions(
    entries: list[EntryResults],
) -> None:
    table = tables(entries)[0]
    field = class_fields(entries)[table.signature]
    label = "pour_oil"
    values = sorted(
        table.scores[name].per_class[label]["iou_point"] or 0.0 for name in table.better
    )
    assert field[label].best == values[-1]
    assert field[label].median == pytest.approx((values[5] + values[6]) / 2)
    rows = {row.name: row for row in class_rows(table.scores["full-house"], field)}
    own = table.scores["full-house"].per_class[label]["iou_point"]
    assert own is not None
    row = rows["pour oil"]
    assert row.own == f"{100 * own:.2f}"
    assert row.best == f"{100 * values[-1]:.2f}"
    assert (
        row.difference.replace("\N{MINUS SIGN}", "-") == f"{100 * (own - field[label].median):+.2f}"
    )  # type: ignore[operator]
    assert rows["never seen"].own == rows["never seen"].median == "n/a"


def test_the_classes_that_stand_out_are_drawn_and_rare_ones_are_not(
    entries: list[EntryResults],
) -> None:
    table = tables(entries)[0]
    field = class_fields(entries)[table.signature]
    scores = table.scores["two-views"]
    drawn = outstanding(scores, field)
    assert drawn
    names = [mark.text for mark in drawn.marks if mark.attributes["class"] == "name"]
    assert 2 <= len(names) <= 10
    sizes = {label.replace("_", " "): row["instances"] for label, row in scores.per_class.items()}
    assert all((sizes[name] or 0) >= FEW for name in names)
    assert outstanding(scores, {}) is None


def test_floors_and_ceilings_have_a_page_that_says_what_they_do(site: Path) -> None:
    for name, bound in BOUNDS.items():
        text = page(site, name)
        assert f'<span class="kind">{bound.kind}</span>' in text
        assert "How to cite" not in text
        assert "Rank" not in text.partition("<main>")[2]
    assert "The true times and labels, with the centre of the frame" in page(site, "oracle-time")


def test_how_to_cite_is_the_entrys_own_or_made_of_what_it_says(
    site: Path, entries: list[EntryResults]
) -> None:
    assert "@inproceedings{chef2026,\n  title = {GroundedChef}," in page(site, "grounded-chef")
    about = next(each.about for each in entries if each.entry == "two-views")
    assert about
    odd = msgspec.structs.replace(about, system="50% & more_{x}~", authors=("A. B", "C\\D"))
    made = bibtex("two-views", odd)
    assert made.splitlines()[0] == "@misc{two-views,"
    assert r"title  = {50\% \& more\_\{x\}\textasciitilde{}}," in made
    assert r"author = {A. B and C\textbackslash{}D}," in made
    assert "year   = {2023}," in made
    assert made.count("{") == made.count("}")


def test_two_builds_are_the_same_bytes_in_any_order(
    site: Path, entries: list[EntryResults], tmp_path: Path
) -> None:
    write_site(entries[::-1], invented_reported(), tmp_path)
    for path in (site / "index.html", *(site / "entries").iterdir()):
        assert (tmp_path / path.relative_to(site)).read_bytes() == path.read_bytes()


def test_pages_of_entries_that_are_gone_are_removed_and_nothing_else(
    entries: list[EntryResults], tmp_path: Path
) -> None:
    write_site(entries, [], tmp_path)
    mine, linked = tmp_path / "entries" / "notes.html", tmp_path / "entries" / "linked.html"
    mine.write_text("<p>mine</p>")
    elsewhere = tmp_path / "elsewhere.html"
    elsewhere.write_bytes((tmp_path / "entries" / "full-house.html").read_bytes())
    linked.symlink_to(elsewhere)
    write_site([each for each in entries if each.entry != "full-house"], [], tmp_path)
    assert not (tmp_path / "entries" / "full-house.html").exists()
    assert mine.exists()
    assert linked.exists()
    assert elsewhere.exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", "Upper", "a" * 49, "-first", "a\nb", "a."])
def test_a_name_that_is_no_files_name_is_refused(
    name: str, entries: list[EntryResults], tmp_path: Path
) -> None:
    odd = msgspec.structs.replace(entries[0], entry=name)
    with pytest.raises(InputError, match="cannot be the name of an entry"):
        write_site([odd], [], tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_two_entries_of_one_name_are_refused(entries: list[EntryResults], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="same name"):
        write_site([entries[0], entries[0]], [], tmp_path)


def test_a_folder_that_cannot_be_made_is_told(entries: list[EntryResults], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        write_site(entries, [], tmp_path / "file" / "site")


def test_an_empty_board_says_so(tmp_path: Path) -> None:
    write_site([], [], tmp_path / "nothing")
    assert "0 submissions" in board(tmp_path / "nothing")
    write_site(invented_bounds(), invented_reported(), tmp_path / "bounds")
    text = board(tmp_path / "bounds")
    assert text.count("There is no submission yet.") == 5
    assert "against date" not in text
    assert "When against where" in text


def test_a_score_that_is_not_defined_has_no_rank_and_comes_last(
    entries: list[EntryResults], tmp_path: Path
) -> None:
    one = entries[0]
    lost = tuple(
        msgspec.structs.replace(each, metrics=dict.fromkeys(each.metrics), intervals={})
        for each in one.scores
    )
    write_site([msgspec.structs.replace(one, scores=lost), *entries[1:]], [], tmp_path)
    rows = rows_of(board(tmp_path), "temporal")
    assert rows[-1][0] == ""
    assert rows[-1][1].startswith("First Steps")
    assert rows[-1][2] == "n/a"
    assert "No rank: IoU+Point is not defined." in page(tmp_path, "first-steps")


def test_a_second_signature_of_a_task_is_a_table_of_its_own(
    entries: list[EntryResults], tmp_path: Path
) -> None:
    one = entries[0]
    newer = tuple(
        msgspec.structs.replace(each, signature=each.signature.replace("1.0", "1.1"))
        for each in one.scores
    )
    write_site([msgspec.structs.replace(one, scores=newer), *entries[1:]], [], tmp_path)
    text = board(tmp_path)
    assert text.count("<table") == 10
    assert re.findall(r'<section id="(st[^"]*)"', text) == [
        "st-published",
        "st-published-v2",
        "st-repaired",
        "st-repaired-v2",
    ]


def test_progress_leaves_out_dates_that_are_none(entries: list[EntryResults]) -> None:
    named = {each.entry: each for each in entries}
    drawn = progress_chart(tables(entries)[0], named)
    assert drawn
    titles = [mark.title for mark in drawn.marks if mark.title]
    assert len(titles) == 11
    assert drawn.note == "Not drawn, for want of a usable date: 1."
    # The line of the best skips what was tuned on the test set: never down, never by it.
    line = next(mark for mark in drawn.marks if mark.attributes["class"] == "curve best-line")
    heights = [float(each.split()[1]) for each in re.split("[ML]", line.attributes["d"])[1:]]
    assert heights == sorted(heights, reverse=True)
    assert progress_chart(tables(invented_bounds())[0], named) is None


def test_equal_scores_lie_on_the_curves(entries: list[EntryResults]) -> None:
    named = {each.entry: each for each in entries}
    table = tables(entries)[0]
    drawn = place_chart(table, named)
    assert drawn
    assert "oracle-time" in drawn.note
    for scores in table.scores.values():
        time, place = (scores.metrics[name] or 0 for name in ("label_iou", "pointing_given_label"))
        assert scores.metrics["iou_point"] == pytest.approx(
            place * time / (1 + time - place * time)
        )
    assert place_chart(tables(entries)[4], named) is None


def test_marks_of_charts_stay_inside(entries: list[EntryResults]) -> None:
    named = {each.entry: each for each in entries}
    for table in tables(entries):
        for canvas in filter(None, (progress_chart(table, named), place_chart(table, named))):
            for mark in canvas.marks:
                for key, most in (("x", canvas.width), ("x1", canvas.width), ("y", canvas.height)):
                    assert 0 <= float(mark.attributes.get(key, 0)) <= most


def test_spans_are_round_and_hold_their_values() -> None:
    for values in ([0.05, 0.27], [0.58, 0.88], [0.3], [0.0, 1.0], [0.999], [0.001]):
        span = span_of(values)
        assert 0 <= span.low <= min(values)
        assert max(values) <= span.high <= 1
        assert span.high > span.low
        assert all(span.low - 1e-9 <= mark <= span.high + 1e-9 for mark in span.marks)
    assert span_of([]) == Span(0.0, 1.0, (0.0, 0.5, 1.0))


def test_a_score_outside_the_span_is_an_arrow() -> None:
    span = span_of([0.1, 0.3])
    assert strip(span, 0.9, None, "ceiling").marks[-1].attributes["class"] == "beyond"
    assert strip(span, 0.2, None, "submission").marks[-1].attributes["class"] == "mark own"


def test_every_metric_has_a_title(entries: list[EntryResults]) -> None:
    names = {name for each in entries for scores in each.scores for name in scores.metrics}
    for name in names:
        assert metric_title(name) != name
        assert metric_meanings([name]) or "mean" in metric_title(name)
    assert list(metric_meanings(["video_map@0.1", "video_map@0.2"])) == ["Video mAP@T"]
    assert metric_title("new_metric") == "new_metric"


def test_many_authors_are_short() -> None:
    assert authors(["A", "B"]) == "A, B"
    assert authors(["A", "B", "C", "D", "E"]) == "A, B, C and 2 more"
    assert len(authors(["W" * 200] * 50)) < 140


def test_without_jinja_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "jinja2":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"needs Jinja2: pip install 'gytbench\[report\]'"):
        write_site([], [], tmp_path)


def test_a_reported_row_without_the_ranked_metric_is_shown(
    entries: list[EntryResults], tmp_path: Path
) -> None:
    row = msgspec.structs.replace(invented_reported()[0].rows[0], metrics={"success@0.3": 40.0})
    paper = Reported(paper="P", url="", date="2024-01-01", rows=(row,))
    write_site(entries, [paper], tmp_path)
    last = rows_of(board(tmp_path), "spatial-published")[-1]
    assert last[2] == "n/a"
    assert "40.00" in last


def test_hundred_entries_make_a_board_of_moderate_size(tmp_path: Path) -> None:
    write_site(many_entries(100), [], tmp_path)
    assert (tmp_path / "index.html").stat().st_size < 2_000_000


class Reading(Sequence[EntryResults]):
    """Entries that are read each time, as those of a board are, and who still holds them."""

    def __init__(self, entries: list[EntryResults]) -> None:
        self.stored = [msgspec.json.encode(each) for each in entries]
        self.held: list[Any] = []
        self.most = 0

    def __len__(self) -> int:
        return len(self.stored)

    def __getitem__(self, place: Any) -> Any:
        entry = msgspec.json.decode(self.stored[place], type=EntryResults)
        # This list, the loop and the call are three; more is somebody who keeps the classes.
        self.held = [each for each in self.held if sys.getrefcount(each) > 3]
        self.most = max(self.most, len(self.held))
        self.held.append(entry.scores[0].per_class)
        return entry


def test_the_classes_of_all_entries_are_never_held_at_once(
    site: Path, entries: list[EntryResults], tmp_path: Path
) -> None:
    reading = Reading(entries)
    write_site(reading, invented_reported(), tmp_path)
    assert reading.most <= 3
    assert (tmp_path / "index.html").read_bytes() == (site / "index.html").read_bytes()
    path = Path("entries", "full-house.html")
    assert (tmp_path / path).read_bytes() == (site / path).read_bytes()
