"""What only the benchmark, or the fields of a tube together, can tell to be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.benchmark import Benchmark
from gytbench.benchmark.classes import read_classes
from gytbench.errors import InputError
from gytbench.predictions import TASKS, Predictions, Tube, load_predictions, pack

from .making import BENCHMARK, TALL, WIDE, document, json_file, predictions, tube
from .tubes import tubes

NAN, INF = float("nan"), float("inf")


def checking_faults(*tubes: dict[str, Any], task: str = "st") -> list[str]:
    """The faults of tubes, as `place: reason`, without the name of the video."""
    with pytest.raises(InputError) as error:
        pack(predictions(*tubes), BENCHMARK, task)
    return [str(fault).rpartition(" (video ")[0] for fault in error.value.faults]


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    (
        tube(video="AAAAAAAAAAA"),
        [".video: unknown video 'AAAAAAAAAAA': not one of the benchmark's 2"],
    ),
    (
        tube(video="bb_bbbbbbb"),
        [
            ".video: unknown video 'bb_bbbbbbb': not one of the benchmark's 2; "
            "did you mean 'bb_b-bbbbbb'?"
        ],
    ),
    (
        tube(label="crak eggs"),
        [".label: unknown label 'crak eggs'; did you mean 'crack_eggs' or 'crack_egg'?"],
    ),
    (tube(label="fly to the moon"), [".label: unknown label 'fly to the moon'"]),
    (tube(label=""), [".label: unknown label ''"]),
    (tube(label=" Background"), [".label: background is not a class: leave those seconds out"]),
    (tube(start=5, end=5), [".end: the tube ends at 5 s, not after its start 5 s"]),
    (tube(start=5, end=4.5), [".end: the tube ends at 4.5 s, not after its start 5 s"]),
    (tube(start=-1.0), [".start: must be a time from 0 to 86,400 seconds"]),
    (tube(start=NAN), [".start: must be a time from 0 to 86,400 seconds"]),
    (tube(end=INF), [".end: must be a time from 0 to 86,400 seconds"]),
    (tube(end=1e308), [".end: must be a time from 0 to 86,400 seconds"]),
    (tube(score=NAN), [".score: must be a finite number"]),
    (tube(score=-INF), [".score: must be a finite number"]),
    (tube(times=[2, 2]), [".times[1]: second 2 does not come after the one before it"]),
    (
        tube(times=[4, 3, 2]),
        [
            ".times[1]: second 3 does not come after the one before it",
            ".times[2]: second 2 does not come after the one before it",
        ],
    ),
    (
        tube(times=[1, 2, 5]),
        [
            ".times[0]: second 1 is outside the tube's [start, end)",
            ".times[2]: second 5 is outside the tube's [start, end)",
        ],
    ),
    # 2.5 begins after second 2; second 4 is the last before 4.5.
    (
        tube(start=2.5, end=4.5, times=[2, 3, 4]),
        [".times[0]: second 2 is outside the tube's [start, end)"],
    ),
    (
        tube(points=[None] * 4),
        [".points: 4 entries, but the integer seconds of the tube count 3"],
    ),
    (tube(boxes=[]), [".boxes: 0 entries, but the integer seconds of the tube count 3"]),
    (
        tube(start=2.5, end=4.5, scores=[1.0]),
        [".scores: 1 entries, but the integer seconds of the tube count 2"],
    ),
    (
        tube(start=2.25, end=2.75, masks=[None]),
        [".masks: 1 entries, but the integer seconds of the tube count 0"],
    ),
    (
        tube(times=[2, 4], points=[None], boxes=[None] * 3, heatmaps=[None], scores=[1.0]),
        [
            ".points: 1 entries, but `times` count 2",
            ".boxes: 3 entries, but `times` count 2",
            ".scores: 1 entries, but `times` count 2",
            ".heatmaps: 1 entries, but `times` count 2",
        ],
    ),
    (
        tube(points=[(1.0, 2.0), (1e308, 0.0), (0.0, NAN)]),
        [
            ".points[1]: [1e+308, 0] is not finite, or beyond 1e+06",
            ".points[2]: [0, nan] is not finite, or beyond 1e+06",
        ],
    ),
    (
        tube(boxes=[(0.0, 0.0, 1.0, 1e308), None, (INF, 0.0, INF, 1.0)]),
        [
            ".boxes[0]: [0, 0, 1, 1e+308] is not finite, or beyond 1e+06",
            ".boxes[2]: [inf, 0, inf, 1] is not finite, or beyond 1e+06",
        ],
    ),
    (
        tube(boxes=[None, (5.0, 0.0, 4.0, 9.0), (0.0, 3.0, 4.0, 2.0)]),
        [
            ".boxes[1]: the box [5, 0, 4, 9] has x2 < x1 or y2 < y1",
            ".boxes[2]: the box [0, 3, 4, 2] has x2 < x1 or y2 < y1",
        ],
    ),
    (
        tube(scores=[0.5, NAN, INF]),
        [
            ".scores[1]: nan is not finite, or beyond 1.79769e+308",
            ".scores[2]: inf is not finite, or beyond 1.79769e+308",
        ],
    ),
]


@pytest.mark.parametrize(("bad", "expected"), WRONG)
def test_tubes_that_are_wrong(bad: dict[str, Any], expected: list[str]) -> None:
    # A right tube before it: the place is that of the wrong one.
    assert checking_faults(tube(), bad) == [f"$.tubes[1]{fault}" for fault in expected]


def test_heatmaps_and_masks_that_are_wrong(tmp_path: Path) -> None:
    content = document(
        tube(
            heatmaps=[[[1, 2], [3]], {"shape": [1, 1], "dtype": "uint8", "data": "?"}, [[1]]],
            masks=[{"size": [2, 2], "counts": [5]}, None, {"size": [2, 2], "counts": "~"}],
        )
    )
    path = json_file(tmp_path, content)
    with pytest.raises(InputError) as error:
        pack(load_predictions(path), BENCHMARK, "st")
    assert [str(fault) for fault in error.value.faults] == [
        f"{path}: $.tubes[0].heatmaps[0]: its rows have different lengths: [1, 2] (video '{WIDE}')",
        f"{path}: $.tubes[0].heatmaps[1]: its data is not base64 (Only base64 data is allowed) "
        f"(video '{WIDE}')",
        f"{path}: $.tubes[0].masks[0]: its run lengths do not add up to 2 x 2 pixels "
        f"(video '{WIDE}')",
        f"{path}: $.tubes[0].masks[2]: its counts hold a character that COCO's encoding does not "
        f"use (video '{WIDE}')",
    ]
    assert error.value.counts() == {"bad heatmap": 2, "bad mask": 2}


@settings(max_examples=200, deadline=None)
@given(st.lists(tubes(), max_size=4), st.sampled_from(TASKS), st.booleans())
def test_any_tubes_are_packed_or_refused(made: list[Tube], task: Any, mend: bool) -> None:
    for each in made:
        each.video, each.label = WIDE, "crack_egg"
        if mend:
            # Few tubes are right by chance: without their lists more of them are.
            each.start, each.end = min(each.start, 300), min(each.start, 300) + 2
            each.times = each.points = each.boxes = each.heatmaps = each.masks = each.scores = None
    try:
        packed = pack(Predictions(task, made, {}), BENCHMARK, task)
    except InputError as error:
        faults = error.faults
    else:
        assert packed.video.size == len(made)
        return
    assert faults
    assert all(fault.where.startswith("$.tubes[") for fault in faults)


def test_every_fault_of_every_tube_is_told() -> None:
    faults = checking_faults(
        tube(video="x", label="y", start=3, end=1, score=NAN, points=[None]),
        tube(),
        tube(times=[9], boxes=[(1.0, 0.0, 0.0, 1.0)]),
    )
    assert sorted(fault.partition(":")[0] for fault in faults) == [
        "$.tubes[0].end",
        "$.tubes[0].label",
        "$.tubes[0].score",
        "$.tubes[0].video",
        "$.tubes[2].boxes[0]",
        "$.tubes[2].times[0]",
    ]


def test_what_is_allowed_at_the_edges() -> None:
    packed = pack(
        predictions(
            tube(start=0, end=86_400, times=[0, 86_399], points=[(1e6, -1e6), None]),
            # Boxes without area; scores of any size; a tube between two integer seconds.
            tube(boxes=[(1.0, 1.0, 1.0, 5.0)] * 3, score=-1e308, scores=[1e308, 0.0, -5.0]),
            tube(start=2.25, end=2.75, points=[]),
            tube(times=[], points=[], label=" Crack EGGS "),
            # Seconds that the annotations do not know are background.
            tube(start=5000, end=5001),
            tube(label="Saute\u0301 it", instance=99),
        ),
        BENCHMARK,
        "st",
    )
    assert packed.label.tolist() == [0, 0, 0, 0, 0, 2]
    assert packed.offset.tolist() == [0, 86_400, 86_403, 86_403, 86_406, 86_407, 86_410]


SPATIAL: list[tuple[list[dict[str, Any]], list[str]]] = [
    (
        [tube()],
        [
            "$.tubes[0].instance: the task spatial needs the id of the instance that the tube "
            "answers"
        ],
    ),
    ([tube(instance=7)], ["$.tubes[0].instance: the video has no instance 7"]),
    # Instance 2 is one of the other video.
    ([tube(video=TALL, instance=2)], ["$.tubes[0].instance: the video has no instance 2"]),
    (
        [tube(instance=0), tube(instance=2, label="pour_it"), tube(instance=0)],
        ["$.tubes[2].instance: instance 0 is answered twice, first at $.tubes[0]"],
    ),
    (
        [tube(instance=0), tube(instance=0), tube(instance=0)],
        [
            "$.tubes[1].instance: instance 0 is answered twice, first at $.tubes[0]",
            "$.tubes[2].instance: instance 0 is answered twice, first at $.tubes[0]",
        ],
    ),
    (
        [tube(instance=2)],
        ["$.tubes[0].label: says 'crack_egg', but instance 2 is 'pour_it'"],
    ),
    # One mistake is told once: no talk of instances where video or label are unknown.
    (
        [tube(instance=0, video="x")],
        ["$.tubes[0].video: unknown video 'x': not one of the benchmark's 2"],
    ),
    ([tube(instance=0, label="?")], ["$.tubes[0].label: unknown label '?'"]),
]


@pytest.mark.parametrize(("tubes", "expected"), SPATIAL)
def test_instances_that_are_wrong(tubes: list[dict[str, Any]], expected: list[str]) -> None:
    assert checking_faults(*tubes, task="spatial") == expected
    # Other tasks do not ask.
    if "instance" in expected[0].partition(":")[0]:
        pack(predictions(*tubes), BENCHMARK, "st")


def test_a_file_for_another_dataset_is_suspected() -> None:
    told = "; none of the file's is: is it for another --dataset than groundingyoutube?"
    strange = [tube(video=f"strange{number}") for number in range(5)]
    assert all(told in fault for fault in checking_faults(*strange))
    assert not any(told in fault for fault in checking_faults(*strange[:4]))
    assert not any(told in fault for fault in checking_faults(*strange, tube()))


def test_instances_that_are_right() -> None:
    packed = pack(
        predictions(
            tube(instance=2, label="pour_it"),
            # The name of a step stands for its class.
            tube(instance=0, label="Crack eggs"),
            tube(instance=0, label="fry_it", video=TALL),
            # The benchmark drops this row: it may be answered, under whatever label.
            tube(instance=1, label="fry_it"),
            tube(instance=1),
        ),
        BENCHMARK,
        "spatial",
    )
    assert packed.instance.tolist() == [2, 0, 0, 1, 1]


def test_a_subset_that_counts_anew_is_named() -> None:
    subset = Benchmark(
        classes=BENCHMARK.classes,
        frames=BENCHMARK.frames,
        instances=BENCHMARK.instances,
        boxes=BENCHMARK.boxes,
        subset="3to20",
    )
    with pytest.raises(InputError) as error:
        pack(predictions(tube(instance=2), tube(instance=5)), subset, "spatial")
    assert all("the subset 3to20, which counts" in fault.reason for fault in error.value.faults)


def test_steps_are_told_apart_where_they_are_the_classes(tmp_path: Path) -> None:
    text = "step\tclass\tclass_index\ncrack_eggs\tcrack_egg\t0\ncrack_egg\tcrack_egg\t0\n"
    steps = Benchmark(
        classes=read_classes(text, "step", tmp_path),
        frames=BENCHMARK.frames,
        instances=(BENCHMARK.instances[0]._replace(label="crack_eggs"),),
        boxes={},
    )
    pack(predictions(tube(instance=0, label="crack_eggs")), steps, "spatial")
    with pytest.raises(InputError, match="says 'crack_egg', but instance 0 is 'crack_eggs'"):
        pack(predictions(tube(instance=0, label="crack_egg")), steps, "spatial")


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("preds.json", ["$.tubes[1].label", "$.tubes[3].points[2]"]),
        ("preds.jsonl", ["line 3: $.label", "line 6: $.points[2]"]),
    ],
)
def test_places_in_files(tmp_path: Path, name: str, places: list[str]) -> None:
    tubes = [tube(), tube(label="?"), tube(), tube(points=[None, None, [1e7, 0]])]
    content: Any = document(*tubes)
    if name == "preds.jsonl":
        header = {key: value for key, value in content.items() if key != "tubes"}
        rows = [json.dumps(row) for row in (header, *tubes)]
        # A blank line counts, as in an editor.
        content = "\n".join([*rows[:3], "", *rows[3:]])
    path = json_file(tmp_path, content, name)
    with pytest.raises(InputError) as error:
        pack(load_predictions(path), BENCHMARK, "st")
    assert [fault.where for fault in error.value.faults] == [f"{path}: {p}" for p in places]


def test_endless_labels_are_cut() -> None:
    (fault,) = checking_faults(tube(label="x" * 100_000))
    assert len(fault) < 200
    (fault,) = checking_faults(tube(instance=2, label="Crack eggs".ljust(100_000)), task="spatial")
    assert len(fault) < 250
