"""Each rule finds the fault that was planted, and nothing else does."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gytbench.audit import RULES, Audit, audit, choose_rules, read_release
from gytbench.benchmark import releases
from gytbench.benchmark.releases import ReleasedFile
from gytbench.errors import InputError
from tests.audit.release import (
    FIRST,
    FULL,
    OTHER,
    PUBLISHED,
    README,
    SECOND,
    WIDE,
    Files,
    clean,
    image,
    write,
)

Plant = Callable[[Files], object]


def move(files: Files, video: str, second: str, box: list[float]) -> None:
    """Another box in all three releases."""
    files[PUBLISHED][video][second]["box"] = box
    files[README] = {name: dict(rows) for name, rows in files[README].items()}
    files[README][video][second] = box
    files[FULL] = files[README]


def row(first: int, last: int, sentence: str, number: int = 7) -> dict[str, object]:
    return {"segment": [first, last], "id": number, "sentence": sentence}


def point(video: str, second: int, step: str, x: float, y: float) -> dict[str, object]:
    return {"image_url": image(video, second, step), "x": x, "y": y, "mean_dist": 0}


def second_step(files: Files) -> None:
    files["seg.json"][WIDE] += [row(10, 12, "crack eggs"), row(20, 22, "crack egg", 8)]
    for name in (README, FULL):
        files[name][WIDE].update({"10": [100, 120, 300, 320], "20": [100, 120, 300, 320]})
    for second, step in (("10", "crack eggs"), ("20", "crack egg")):
        files[PUBLISHED][WIDE][second] = {"box": [100, 120, 300, 320], "step": step}
        step = step.replace(" ", "_")
        files[SECOND].append(point(WIDE, int(second), step, 200, 220))


def cut_at_height(files: Files) -> None:
    move(files, OTHER, "0", [300, 0, 480, 180])
    files[SECOND][0]["x"] = 400


def degenerate(files: Files) -> None:
    move(files, OTHER, "0", [490, 0, 480, 180])
    files[SECOND][0]["x"] = 590


def one_box_less(files: Files) -> None:
    files["seg.json"][WIDE].append(row(10, 12, "crack egg"))


def outside(files: Files) -> None:
    files["seg.json"][WIDE][0]["segment"] = [3, 4]
    for name in (README, FULL):
        files[name][WIDE]["3"] = [100, 120, 300, 320]
    files[PUBLISHED][WIDE]["3"] = {"box": [100, 120, 300, 320], "step": "crack egg"}
    files[SECOND].append(point(WIDE, 3, "crack_egg", 200, 220))


def no_point(files: Files) -> None:
    files[FIRST] = []


def upright(files: Files) -> None:
    # Three videos, so that one shape is the common one.
    for name in ("id2wh_new.json", "id2wh.json"):
        files[name]["c" * 11] = [480, 640]


PLANTED: list[tuple[str, Plant, dict[str, int]]] = [
    ("cut at the height", cut_at_height, {"swapped-clipping": 3}),
    (
        "below the frame",
        lambda f: (
            move(f, OTHER, "0", [40, 300, 240, 500]),
            f[SECOND][0].update(y=400),
        ),
        {"swapped-clipping": 3},
    ),
    (
        "no area",
        degenerate,
        {"degenerate-box": 3, "swapped-clipping": 3, "box-misses-mean-point": 3},
    ),
    (
        "left of the frame",
        lambda f: move(f, OTHER, "0", [-5, 0, 240, 180]),
        {"out-of-frame-box": 3, "unexplained-box": 3},
    ),
    (
        "below all that the swap explains",
        lambda f: move(f, OTHER, "0", [40, 0, 240, 700]),
        {"out-of-frame-box": 3, "unexplained-box": 3},
    ),
    (
        "point elsewhere",
        lambda f: f[SECOND][0].update(x=500),
        {"box-misses-mean-point": 3, "unexplained-box": 3},
    ),
    ("small box", lambda f: move(f, OTHER, "0", [100, 0, 200, 180]), {"unexplained-box": 3}),
    ("no point", no_point, {"box-without-point": 3}),
    (
        "outside",
        outside,
        {"box-outside-segments": 3, "point-outside-segments": 1, "step-disagrees": 1},
    ),
    (
        "point outside",
        lambda f: f[SECOND].append(point(OTHER, 50, "pour_it", 3, 4)),
        {"point-outside-segments": 1},
    ),
    (
        "no agreement",
        lambda f: f[SECOND].append(point(OTHER, 50, "pour_it", 3, 4) | {"x": None}),
        {},
    ),
    (
        "zero length",
        lambda f: f["seg.json"][WIDE].append(row(30, 30, "crack egg")),
        {"zero-length-segment": 1},
    ),
    (
        "backwards",
        lambda f: f["seg.json"][WIDE].append(row(30, 28, "crack egg")),
        {"zero-length-segment": 1},
    ),
    (
        "shared second",
        lambda f: f["seg.json"][OTHER].append(row(1, 2, "pour it")),
        {"shared-boundary-second": 1, "instance-without-box": 3},
    ),
    (
        "overlap",
        lambda f: f["seg.json"][OTHER].append(row(0, 3, "pour it")),
        {"shared-boundary-second": 0, "overlapping-segments": 1},
    ),
    (
        "another step",
        lambda f: f[PUBLISHED][OTHER]["0"].update(step="crack egg"),
        {"step-disagrees": 1},
    ),
    ("two spellings", second_step, {"label-near-duplicate": 1}),
    ("no box", one_box_less, {"instance-without-box": 3}),
    (
        "a second only in one",
        lambda f: f.update({FULL: f[README] | {WIDE: {}}}),
        {"release-seconds-differ": 1, "instance-without-box": 1},
    ),
    (
        "another box in one",
        lambda f: f.update({FULL: f[README] | {OTHER: {"0": [40, 0, 240, 180.25]}}}),
        {"release-boxes-differ": 1},
    ),
    ("another shape", upright, {"other-shape": 1}),
    (
        "stretched",
        lambda f: f["id2wh.json"].update({OTHER: [854, 480]}),
        {"stretched-video": 1},
    ),
]


def counts(found: Audit) -> dict[str, int]:
    """Findings by rule, of the rules that found something."""
    return {each.rule.id: len(each.findings) for each in found.outcomes if each.findings}


def audited(folder: Path, files: Files) -> Audit:
    """Without the checksums: no file here is a released one."""
    return audit(read_release(write(folder, files)), {"checksum-drift"})


def test_a_clean_release_has_no_findings(tmp_path: Path) -> None:
    found = audited(tmp_path, clean())
    assert counts(found) == {}
    assert not any(each.not_checked for each in found.outcomes)
    assert [row["explained"] for row in found.explained] == [2, 2, 2]
    assert [row["by_first_round_only"] for row in found.explained] == [1, 1, 1]


@pytest.mark.parametrize(
    ("plant", "expected"),
    [each[1:] for each in PLANTED],
    ids=[each[0] for each in PLANTED],
)
def test_a_planted_fault_is_found(plant: Plant, expected: dict[str, int], tmp_path: Path) -> None:
    files = clean()
    plant(files)
    expected = {rule: count for rule, count in expected.items() if count}
    assert counts(audited(tmp_path, files)) == expected


def test_every_rule_is_planted() -> None:
    planted = {rule for _, _, expected in PLANTED for rule in expected}
    assert planted == RULES.keys() - {"checksum-drift"}


def test_a_changed_file_drifts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path, clean())
    path = folder / "groundingyoutube" / "seg.json"
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    listed = [
        ReleasedFile(f"groundingyoutube/{name}", "", len(content), digest, "", ())
        for name in ("seg.json", "id2wh.json", "vid2step.json")
    ]
    monkeypatch.setattr(releases, "manifest", lambda: tuple(listed))
    found = audit(read_release(folder), RULES.keys() - {"checksum-drift"}).outcomes[0]
    assert [(each.file, each.text) for each in found.findings] == [
        ("id2wh.json", "has the wrong size")
    ]
    assert found.not_checked == ("vid2step.json",)


def test_where_and_what(tmp_path: Path) -> None:
    files = clean()
    cut_at_height(files)
    found = next(each for each in audited(tmp_path, files).outcomes if each.findings)
    first = found.findings[0]
    assert (first.file, first.video, first.second) == (PUBLISHED, OTHER, 0)
    assert first.text == "[300, 0, 480, 180] ends at x = 480 of 640"
    assert first.place == f"{OTHER} at 0 s"


@pytest.mark.parametrize(
    ("step", "sentence", "says"),
    [
        ("Sauté it", "sauté_it", None),
        ("saute\u0301 it", "saute\u0301 it", None),
        (
            "sautu00e9 it",
            "sauté it",
            r"the box says 'sautu00e9 it', written otherwise in the segments",
        ),
        (
            "saute\u0301 it",
            "sauté it",
            r"the box says 'saute\u0301 it', written otherwise in the segments",
        ),
        (
            "sauté it",
            "saute\u0301 it",
            r"the box says 'saut\xe9 it', written otherwise in the segments",
        ),
        ("crack egg", "sauté it", "the box says 'crack egg', but the segments say 'sauté it'"),
        ("crack eggs", "crack egg", "the box says 'crack eggs', but the segments say 'crack egg'"),
    ],
)
def test_how_a_step_disagrees(step: str, sentence: str, says: str | None, tmp_path: Path) -> None:
    files = clean()
    files["seg.json"][OTHER][0]["sentence"] = sentence
    files[PUBLISHED][OTHER]["0"]["step"] = step
    found = audit(read_release(write(tmp_path, files)), RULES.keys() - {"step-disagrees"})
    texts = [each.text for each in found.outcomes[0].findings]
    assert texts == [] if says is None else texts[0].startswith(says)


def test_a_step_in_no_segment(tmp_path: Path) -> None:
    """A row that covers no time does not count."""
    files = clean()
    files["seg.json"][OTHER][0]["segment"] = [0, 0]
    found = audit(read_release(write(tmp_path, files)), RULES.keys() - {"step-disagrees"})
    assert [each.text for each in found.outcomes[0].findings] == [
        "the box says 'pour it', but no segment covers this second"
    ]


def test_one_of_two_points_is_enough(tmp_path: Path) -> None:
    files = clean()
    files[SECOND].append(point(WIDE, 2, "crack_egg", 600, 440))
    found = audited(tmp_path, files)
    assert counts(found) == {}


@pytest.mark.parametrize("name", [PUBLISHED, README, FULL, FIRST, SECOND, "id2wh.json"])
def test_a_missing_file_is_said(name: str, tmp_path: Path) -> None:
    files = clean()
    del files[name]
    found = audited(tmp_path, files)
    assert counts(found) == {}
    lacking = {each.rule.id: each for each in found.outcomes if name in each.not_checked}
    readers = {rule.id for rule in RULES.values() if name in rule.needs or name in rule.each}
    assert lacking.keys() == readers
    for rule, outcome in lacking.items():
        assert outcome.checked == (name not in RULES[rule].needs)
    assert name in found.explained_needs


def test_only_what_is_required(tmp_path: Path) -> None:
    files = {name: clean()[name] for name in ("seg.json", "id2wh_new.json")}
    found = audited(tmp_path, files)
    assert counts(found) == {}
    assert found.explained == ()
    assert {each.rule.id for each in found.outcomes if each.checked} == {
        "zero-length-segment",
        "shared-boundary-second",
        "overlapping-segments",
        "label-near-duplicate",
        "other-shape",
    }


def test_empty_files(tmp_path: Path) -> None:
    empty: Files = {name: [] if name in (FIRST, SECOND) else {} for name in clean()}
    found = audited(tmp_path, empty)
    assert counts(found) == {}
    assert [row["boxes"] for row in found.explained] == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("seg.json", "{", "not valid JSON"),
        ("seg.json", {"c" * 11: []}, "not in id2wh_new.json"),
        ("seg.json", {WIDE: [row(1, 2, "pour its")]}, "did you mean pour_it"),
        ("id2wh_new.json", {WIDE: [640, 0]}, "id2wh_new.json"),
        (PUBLISHED, {WIDE: {"2": {"box": [1, 2, 3]}}}, PUBLISHED),
        (README, {WIDE: {"two": [1, 2, 3, 4]}}, README),
        (README, {"c" * 11: {}}, "not in id2wh_new.json"),
        (FIRST, [{"image_url": "x"}], FIRST),
        (SECOND, [point("c" * 11, 1, "pour_it", 1, 1)], "not in id2wh_new.json"),
        ("id2wh.json", {WIDE: [640, 480]}, "has no size"),
    ],
)
def test_a_malformed_file_is_refused(name: str, content: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        read_release(write(tmp_path, clean() | {name: content}))


@pytest.mark.parametrize("name", ["seg.json", "id2wh_new.json"])
def test_required_files(name: str, tmp_path: Path) -> None:
    files = clean()
    del files[name]
    with pytest.raises(InputError, match=f"{name}: no such file"):
        read_release(write(tmp_path, files))


def test_the_names_of_rules() -> None:
    assert choose_rules(["all"], RULES) == RULES.keys()
    assert choose_rules([], RULES) == frozenset()
    with pytest.raises(InputError, match="did you mean degenerate-box"):
        choose_rules(["degenrate-box"], RULES)
