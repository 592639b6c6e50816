"""Loading: a small benchmark counted by hand, and what is said of files that are wrong."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gytbench.benchmark import Benchmark, Cues, Instance, load_benchmark
from gytbench.benchmark.classes import ClassMap
from gytbench.errors import InputError

Change = Callable[[str, Any], Path]

VIDEO, TALL = "aaaaaaaaaaa", "bb_b-bbbbbb"


def test_small_benchmark(small: Path) -> None:
    benchmark = load_benchmark(data=small)
    assert benchmark.videos == (VIDEO, TALL)
    assert benchmark.frames == {VIDEO: (640.0, 480.0), TALL: (480.0, 640.0)}
    assert benchmark.instances == (
        Instance(VIDEO, 0, 2.0, 5.0, "crack_eggs", "crack_egg"),
        Instance(VIDEO, 2, 4.0, 6.0, "pour_it", "pour_it"),
        Instance(TALL, 0, 0.0, 2.0, "sauté_it", "fry_it"),
    )
    assert benchmark.dropped == {(VIDEO, 1)}
    assert benchmark.boxes == {VIDEO: {2: (0, 1, 2, 3), 5: (10, 20, 10, 40), 77: (0, 0, 1, 1.5)}}
    # 2, 3, 4, 5 are covered, 2 and 5 have a box (that of 5 has no area, but stays one).
    assert benchmark.ignored_seconds == {VIDEO: {3, 4}, TALL: {0, 1}}
    assert benchmark.pools == {VIDEO: ("crack_eggs", "pour_it"), TALL: ("sauté_it",)}
    assert benchmark.folder == small


def test_small_cues(small: Path) -> None:
    benchmark = load_benchmark(data=small)
    assert benchmark.cues == (
        Instance(VIDEO, 0, 1.5, 3.25, "crack_eggs", "crack_egg"),
        # Cue 1 covers no time.
        Instance(VIDEO, 2, 60.0, 3600.001, "sauté_it", "fry_it"),
    )
    assert benchmark.cues_data.startswith("local@")
    assert benchmark.cues is benchmark.cues


def test_small_points(small: Path) -> None:
    first, second = load_benchmark(data=small).points
    # Round 1 is in the pixels of 1280x720; the row without agreement is left out.
    assert first == (VIDEO, 3, "crack_eggs", 1, 320.0, 120.0, 7.5, (0.5, 480 / 720))
    # Round 2 is in the annotation frame; "u00e9" is an é whose backslash was lost.
    assert second == (TALL, 0, "sauté_it", 2, 12.5, 600.0, 0.0, (1.0, 1.0))


def test_other_releases_and_subset(small: Path) -> None:
    readme = load_benchmark(boxes="readme", data=small)
    assert readme.release == "readme"
    assert readme.boxes == {VIDEO: {2: (0, 1, 2, 3)}, TALL: {0: (1, 1, 480, 640)}}
    assert load_benchmark(boxes="full", data=small).boxes == {VIDEO: {}}
    subset = load_benchmark(subset="3to20", data=small)
    assert subset.instances == (Instance(VIDEO, 7, 2.0, 5.0, "crack_eggs", "crack_egg"),)
    assert subset.dropped == frozenset()


def test_steps_as_classes(small: Path) -> None:
    benchmark = load_benchmark(classes="step", data=small)
    assert benchmark.classes.names == ("crack_egg", "crack_eggs", "pour_it", "sauté_it")
    assert benchmark.instances[2].label == "sauté_it"
    assert benchmark.cues[0].label == "crack_eggs"


def test_the_signature_tells_local_files_apart(small: Path, change: Change) -> None:
    names = {load_benchmark(data=small).data}
    change("seg.json", {VIDEO: []})
    names.add(load_benchmark(data=small).data)
    change("id2wh_new.json", {VIDEO: [640, 480.5], TALL: [1, 1]})
    names.add(load_benchmark(data=small).data)
    change("classes.tsv", b"step\tclass\tclass_index\ncrack_eggs\tcrack_egg\t0\n")
    names.add(load_benchmark(data=small).data)
    assert len(names) == 4
    assert all(name.startswith("local@") and len(name) == 14 for name in names)


def test_the_class_map_is_part_of_where_cues_are_from(small: Path, change: Change) -> None:
    before = load_benchmark(data=small).cues_data
    classes = small / "groundingyoutube" / "classes.tsv"
    change("classes.tsv", classes.read_bytes().replace(b"fry_it", b"cook_it"))
    assert load_benchmark(data=small).cues_data != before


def test_own_class_map_wins_and_the_packaged_one_is_the_default(
    small: Path, change: Change
) -> None:
    change("seg.json", {VIDEO: [{"segment": [1, 2], "id": 0, "sentence": "wrap rolls"}]})
    with pytest.raises(InputError, match="wrap rolls"):
        load_benchmark(data=small)
    (small / "groundingyoutube" / "classes.tsv").unlink()
    benchmark = load_benchmark(data=small)
    assert len(benchmark.classes.names) == 512
    assert benchmark.instances[0].label == "wrap_roll"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"boxes": "publishd"},
            "'publishd'; known are published, readme, full, repaired; did you mean",
        ),
        ({"coordinates": "fixed"}, "--coordinates has no meaning for the dataset groundingyoutube"),
        ({"dataset": "vhicc"}, "no such dataset: 'vhicc'; known are groundingyoutube"),
        ({"subset": "3-20"}, "no such subset: '3-20'; known are all, 3to20"),
        ({"classes": "512"}, "no such class list: '512'; known are mining512, step"),
    ],
)
def test_unknown_choices(small: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_benchmark(data=small, **options)
    assert message in str(caught.value)


ROW = {"segment": [1, 2], "id": 0, "sentence": "pour it"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("seg.json", b"", "seg.json: not valid JSON"),
        ("seg.json", b'{"a": ', "seg.json: not valid JSON"),
        ("seg.json", b'{"\xff": []}', "seg.json: not valid JSON"),
        ("seg.json", b"[" * 100_000, "seg.json: "),
        ("seg.json", b'{"a":' * 100_000, "seg.json: "),
        ("seg.json", [], "seg.json: $: Expected `object`"),
        ("seg.json", {VIDEO: {}}, f'seg.json: $["{VIDEO}"]: Expected `array`'),
        (
            "seg.json",
            {VIDEO: [], TALL: [ROW, {**ROW, "segment": [1, 2.5]}]},
            f'seg.json: $["{TALL}"][1].segment[1]: Expected `int`',
        ),
        ("seg.json", {VIDEO: [{**ROW, "segment": [1]}]}, "[0].segment: Expected `array`"),
        ("seg.json", {VIDEO: [{**ROW, "segment": [-1, 2]}]}, "[0].segment[0]: Expected `int` >= 0"),
        ("seg.json", {VIDEO: [{"segment": [1, 2], "id": 0}]}, "[0]: Object missing"),
        ("seg.json", {"who": [ROW]}, 'seg.json: $["who"]: this video is not in id2wh_new.json'),
        (
            "seg.json",
            {VIDEO: [{**ROW, "sentence": "puor it"}]},
            "[0].sentence: step 'puor it' is not in the class map; did you mean pour_it",
        ),
        ("seg.json", {VIDEO: [{**ROW, "sentence": "background"}]}, "step 'background' is not in"),
        ("seg.json", {VIDEO: [ROW, ROW]}, f'$["{VIDEO}"]: two rows have the same id'),
        ("id2wh_new.json", {VIDEO: [640, 0]}, f'id2wh_new.json: $["{VIDEO}"][1]: Expected `float`'),
        ("id2wh_new.json", {VIDEO: [640]}, f'id2wh_new.json: $["{VIDEO}"]: Expected `array`'),
        (
            "GoundingYouTubeBox.json",
            {VIDEO: {"1": {"box": [1, 2, 3, "4"]}}},
            f'Box.json: $["{VIDEO}"]["1"].box[3]: Expected `float`',
        ),
        ("GoundingYouTubeBox.json", {VIDEO: {"1": {"box": [1, 2, 3]}}}, '["1"].box: Expected'),
        ("GoundingYouTubeBox.json", {VIDEO: {"1": {"step": "x"}}}, '["1"]: Object missing'),
        ("GoundingYouTubeBox.json", {VIDEO: {"1": 7}}, '["1"]: Expected `array`'),
        (
            "GoundingYouTubeBox.json",
            {VIDEO: {"1.5": {"box": [1, 2, 3, 4]}}},
            f'$["{VIDEO}"]["1.5"]',
        ),
        ("GoundingYouTubeBox.json", {VIDEO: {"-1": {"box": [1, 2, 3, 4]}}}, f'$["{VIDEO}"]["-1"]'),
        ("GoundingYouTubeBox.json", {VIDEO: {"1": {"box": [1, 2, 3, 1e308]}}}, '["1"].box[3]'),
        (
            "GoundingYouTubeBox.json",
            b'{"aaaaaaaaaaa": {"1": {"box": [1, 2, 3, NaN]}}}',
            "not valid",
        ),
        (
            "GoundingYouTubeBox.json",
            b'{"aaaaaaaaaaa": {"1": {"box": [1, 2, 3, 1e999]}}}',
            f'$["{VIDEO}"]["1"].box[3]: Number out of range',
        ),
        ("GoundingYouTubeBox.json", {"who": {}}, '$["who"]: this video is not'),
        ("classes.tsv", b"\xff", "classes.tsv: not UTF-8: byte 0"),
    ],
)
def test_malformed_files(
    small: Path, change: Change, name: str, content: Any, message: str
) -> None:
    change(name, content)
    with pytest.raises(InputError) as caught:
        load_benchmark(data=small)
    assert message in str(caught.value)
    assert str(small) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("id2wh.json", {VIDEO: [1, 1]}, f"has no size of video {TALL}"),
        ("vid2step.json", {"who": []}, '$["who"]: this video is not'),
        ("vid2step.json", {VIDEO: ["pour it", "dance"]}, f"$[\"{VIDEO}\"][1]: step 'dance'"),
        ("pumpkin_youtube_annotation_full_agg_subset.json", [{"image_url": "x"}], "$[0]: Object"),
    ],
)
def test_malformed_files_that_are_read_on_first_use(
    small: Path, change: Change, name: str, content: Any, message: str
) -> None:
    change(name, content)
    benchmark = load_benchmark(data=small)
    with pytest.raises(InputError) as caught:
        _ = benchmark.pools, benchmark.points
    assert message in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("aaaaaaaaaaa_x_pour_it.jpg", "does not end in VIDEO_SECOND_step_words.jpg"),
        ("short_1_pour_it.jpg", "does not end in VIDEO_SECOND_step_words.jpg"),
        ("aaaaaaaaaaa_1_pour_it.png", "does not end in VIDEO_SECOND_step_words.jpg"),
        ("ccccccccccc_1_pour_it.jpg", "video ccccccccccc is not in id2wh_new.json"),
        ("aaaaaaaaaaa_1_dance.jpg", "step 'dance' is not in the class map"),
    ],
)
def test_image_names(small: Path, change: Change, image: str, message: str) -> None:
    row = {"image_url": f"https://host/{image}", "x": None, "y": None, "mean_dist": None}
    change("pumpkin_youtube_FPS_21k_annotation_full_agg_p.json", [row])
    with pytest.raises(InputError) as caught:
        _ = load_benchmark(data=small).points
    assert message in str(caught.value)
    assert "$[0].image_url" in str(caught.value)


@pytest.mark.parametrize("name", ["seg.json", "id2wh_new.json", "GoundingYouTubeBox.json"])
def test_missing_file(small: Path, name: str) -> None:
    (small / "groundingyoutube" / name).rename(small / "elsewhere")
    with pytest.raises(InputError, match=rf"{name}: no such file; `gytbench data fetch`"):
        load_benchmark(data=small)


def test_a_file_that_is_a_folder(small: Path) -> None:
    path = small / "groundingyoutube" / "seg.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"seg\.json: cannot be read: Is a directory"):
        load_benchmark(data=small)


def test_all_unknown_steps_are_listed(small: Path, change: Change) -> None:
    rows = [{"segment": [1, 2], "id": n, "sentence": f"dance {n}"} for n in range(3)]
    change("seg.json", {VIDEO: rows})
    with pytest.raises(InputError) as caught:
        load_benchmark(data=small)
    assert caught.value.counts() == {"unknown step": 3}


def test_a_benchmark_made_by_hand() -> None:
    cue = Instance("v", 0, 0.5, 1.0, "a", "a")
    made = Benchmark(
        classes=ClassMap("step", ("a",), {"a": 0}),
        frames={"w": (10.0, 10.0), "v": (10.0, 10.0)},
        instances=(Instance("v", 0, 0.5, 2.0, "a", "a"),),
        boxes={"v": {1: (0.0, 0.0, 1.0, 1.0)}},
        read_cues=lambda: Cues("local", (cue,)),
    )
    assert made.videos == ("v", "w")
    # Of [0.5, 2) the seconds 1 is covered, 0 and 2 are not.
    assert made.ignored_seconds == {"v": frozenset(), "w": frozenset()}
    assert (made.cues, made.cues_data) == ((cue,), "local")
    assert (made.points, made.pools) == ((), {})
    assert made.data == made.release == "local"


def test_import_and_load_leave_slow_modules_alone(small: Path) -> None:
    code = (
        "import sys; from gytbench.benchmark import load_benchmark;"
        f"load_benchmark(data={str(small)!r});"
        "slow = {'numpy', 'tarfile', 'urllib.request', 'tqdm', 'difflib', 'platformdirs', 'click'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
