"""ActivityNet, COCO, TubeDETR and VQ2D: files worked by hand, faults, and the way back."""

import json
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.predictions import Mask, Tube
from gytbench.predictions.convert import Image, Query

from .making import fault, plain, read, write

ACTIVITYNET = {
    "version": "VERSION 1.3",
    "results": {
        "v": [
            {"label": "stir", "score": 0.5, "segment": [1.5, 3]},
            {"label": "pour", "score": 0.25, "segment": [0, 2]},
        ],
        "w": [],
    },
    "external_data": {"used": False},
}


def test_activitynet(tmp_path: Path) -> None:
    tubes, report = read(tmp_path, "activitynet", ACTIVITYNET, ".json")
    assert tubes == [
        {"video": "v", "label": "stir", "start": 1.5, "end": 3.0, "score": 0.5},
        {"video": "v", "label": "pour", "start": 0.0, "end": 2.0, "score": 0.25},
    ]
    assert not report.lost
    told = json.loads((tmp_path / "out.json").read_bytes())["model"]["activitynet"]
    assert told == {"version": "VERSION 1.3", "external_data": {"used": False}}


def test_activitynet_names_what_it_cannot_hold(tmp_path: Path) -> None:
    tube = Tube("v", "stir", 0, 2, points=[(1, 2), None], scores=[0.5, 1], instance=3)
    content, report = write(tmp_path, "activitynet", [tube], header_frame=(640, 480))
    assert json.loads(content)["results"] == {
        "v": [{"label": "stir", "score": 1.0, "segment": [0, 2]}]
    }
    assert report.lost == {
        "points": 1,
        "scores of single seconds": 2,
        "ids of instances": 1,
        "sizes of frames": 1,
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"version": 1}, "in.json: $: the key `results` is missing"),
        ({"results": {"v": [{"label": "a"}]}}, "in.json: $.results['v'][0]: object missing"),
        (
            {"results": {"v": [{"label": "a", "segment": [3, 1]}]}},
            "$.results['v'][0]: the interval",
        ),
        ({"results": {"v": [{"label": 1, "segment": [0, 1]}]}}, "[0].label: expected string"),
        ('{"results": {"v": [', "not JSON at byte"),
        ('{"results": {"v": [{"label": "a}]}}', "a string does not end"),
        ('{"results": {"v" []}}', "expected ':', found '['"),
        ('{"results": {"v": []}} {}', "text follows the end"),
        ("[1]", "expected '{', found '['"),
        ("", "expected '{', the file ends"),
        ('{"results": {"v": ' + "[" * 5000, "the file ends too early"),
        ('{"results": {"v": ' + "[" * 5000 + "]" * 5000 + "}}", "nested too deeply"),
    ],
)
def test_activitynet_faults(tmp_path: Path, content: Any, said: str) -> None:
    told = fault(lambda: read(tmp_path, "activitynet", content, ".json"), tmp_path)
    assert said in told


def test_activitynet_needs_the_tubes_of_a_video_together(tmp_path: Path) -> None:
    tubes = [Tube(video, "a", 0, 1) for video in "vwv"]
    said = fault(lambda: write(tmp_path, "activitynet", tubes, ".json"), tmp_path)
    assert said.startswith("preds.json: $.tubes[2]: the tubes of video 'v' do not lie together")


LABELS = {3: "stir", 4: "pour"}


def test_coco(tmp_path: Path) -> None:
    results = [
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 10, 20], "score": 0.5},
        {"image_id": 8, "category_id": 3, "bbox": [1, 2, 10, 30], "score": 0.75},
        {
            "image_id": 8,
            "category_id": 4,
            "score": 0.1,
            "keypoints": [5, 6, 2],
            "segmentation": {"size": [2, 2], "counts": "04"},
        },
    ]
    images = {"7": Image("v", 4, (640, 480)), "8": Image("v", 5, (640, 480))}
    tubes, _ = read(tmp_path, "coco", results, ".json", images=images, labels=LABELS)
    assert tubes[0] == {
        "video": "v",
        "label": "stir",
        "start": 4.0,
        "end": 6.0,
        "score": 0.625,
        "boxes": [[1, 2, 11, 22], [1, 2, 11, 32]],
        "scores": [0.5, 0.75],
        "frame_size": [640, 480],
    }
    assert tubes[1]["points"] == [[5, 6]]
    assert tubes[1]["masks"] == [{"size": [2, 2], "counts": "04"}]


def test_coco_back(tmp_path: Path) -> None:
    mask = Mask((2, 2), "04")
    tube = Tube("v", "stir", 4, 6, 0.5, boxes=[(0.25, 0, 0.5, 1), None], masks=[None, mask])
    content, report = write(tmp_path, "coco", [tube], ".json", labels=LABELS, frame_size=(640, 480))
    assert json.loads(content) == [
        {"image_id": "v_4", "category_id": 3, "bbox": [160, 0, 160, 480], "score": 0.5},
        {
            "image_id": "v_5",
            "category_id": 3,
            "segmentation": {"size": [2, 2], "counts": "04"},
            "score": 0.5,
        },
    ]
    assert list(report.lost) == [
        "which boxes make a tube: read again, they are joined by their seconds"
    ]
    (again,), _ = read(tmp_path, "coco", content.decode(), ".json", labels=LABELS)
    assert (again["start"], again["end"], again["boxes"]) == (4, 6, [[160, 0, 320, 480], None])


def test_coco_without_a_tube_is_an_empty_array(tmp_path: Path) -> None:
    assert json.loads(write(tmp_path, "coco", [], ".json")[0]) == []


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"image_id": 1, "category_id": 3}, "$[0].image_id: image 1 is not VIDEO_SECOND"),
        ({"image_id": "v_1", "category_id": 9}, "$[0].category_id: 9 is none of the numbers"),
        ({"image_id": "v_1", "category_id": 3, "bbox": [1, 2, -3, 4]}, "$[0].bbox: the box"),
        ({"image_id": "v_1", "category_id": 3, "bbox": [1, 2, 3]}, "$[0].bbox: "),
        ({"image_id": "v_1", "category_id": 3, "keypoints": [1]}, "$[0].keypoints: must be"),
    ],
)
def test_coco_faults(tmp_path: Path, result: Any, said: str) -> None:
    told = fault(lambda: read(tmp_path, "coco", [result], ".json", labels=LABELS), tmp_path)
    assert f"in.json: {said}" in told


def test_coco_needs_the_images_of_a_video_together(tmp_path: Path) -> None:
    results = [{"image_id": f"{v}_1", "category_id": 3} for v in "vwv"]
    said = fault(lambda: read(tmp_path, "coco", results, ".json", labels=LABELS), tmp_path)
    assert said.startswith("in.json: $[2]: the rows of video 'v' do not lie together")


TUBEDETR = {
    "test_vidstg_predictions": {
        "q1_10": {"boxes": [[0, 0, 5, 5]]},
        "q1_20": {"boxes": [[1, 1, 6, 6]]},
        "q1_22": {"boxes": [[9, 9, 9, 9]]},
        "q1_30": {"boxes": [[2, 2, 7, 7]]},
        "q1_50": {"boxes": [[3, 3, 8, 8]]},
    },
    "test_vidstg_video_predictions": {
        "q1": {"sted": [15, 41], "qtype": "interrogative"},
        "q2": {"sted": [0, 10]},
    },
    "n_parameters": 3,
}


def test_tubedetr(tmp_path: Path) -> None:
    queries = {
        "q1": Query("v", "the cook stirs", 5, fps=10.0, frame_size=(320, 240)),
        "q2": Query("w", "pour"),
    }
    tubes, report = read(tmp_path, "tubedetr", TUBEDETR, ".json", queries=queries, fps=5.0)
    # 10 frames a second: 15 to 41 are 1.5 to 4.1 s; frame 20 is second 2, frame 30 second 3;
    # 22 lies between the seconds, 10 and 50 outside the interval; second 4 has no box.
    assert tubes == [
        {
            "video": "v",
            "label": "the cook stirs",
            "start": 1.5,
            "end": 4.1,
            "times": [2, 3],
            "boxes": [[1, 1, 6, 6], [2, 2, 7, 7]],
            "frame_size": [320, 240],
            "instance": 5,
            "meta": {"query": "q1", "qtype": "interrogative"},
        },
        {"video": "w", "label": "pour", "start": 0.0, "end": 2.0, "meta": {"query": "q2"}},
    ]
    assert report.lost == {
        "boxes outside the predicted interval": 2,
        "frames between the whole seconds: a tube holds one a second": 1,
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"predictions": {"q1": {"boxes": []}}}, "$.predictions['q1']: a key is ID_FRAME"),
        ({"predictions": {"q1_1": {"boxes": []}}}, "$.predictions['q1_1']: holds 0 boxes"),
        ({"predictions": {"q1_1": {"boxes": [[1, 2, 3]]}}}, "$.predictions['q1_1'].boxes[0]"),
        ({"video_predictions": {"q1": {"sted": [5, 5]}}}, "['q1']: the interval 1 to 1 s"),
        ({"video_predictions": {"q1": {"sted": [1.5, 5]}}}, "['q1'].sted[0]: expected int"),
    ],
)
def test_tubedetr_faults(tmp_path: Path, change: Any, said: str) -> None:
    content = {"video_predictions": {"q1": {"sted": [0, 9]}}} | change
    told = fault(lambda: read(tmp_path, "tubedetr", content, ".json", label="a", fps=5.0), tmp_path)
    assert said in told


def test_tubedetr_needs_label_and_rate(tmp_path: Path) -> None:
    content = {"video_predictions": {"q1": {"sted": [0, 9]}}}
    bare = fault(lambda: read(tmp_path, "tubedetr", content, ".json", fps=5.0), tmp_path)
    assert "names no label: give --queries FILE" in bare
    rate = fault(lambda: read(tmp_path, "tubedetr", content, ".json", label="a"), tmp_path)
    assert "give their rate with --fps" in rate


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 50), st.lists(st.none() | st.integers(0, 9), min_size=1, max_size=4)
        ),
        max_size=3,
    ),
    st.sampled_from(("tubedetr", "stcat")),
)
def test_answers_to_queries_come_back(made: list[tuple[int, list[Any]]], name: str) -> None:
    tubes = []
    for index, (start, sides) in enumerate(made):
        tube = Tube(f"v{index}", "stir", start, start + len(sides), frame_size=(320, 240))
        tube.meta = {"query": f"q{index}", "qtype": "declarative"}
        kept = [at for at, side in enumerate(sides) if side is not None]
        if kept:
            tube.boxes = [(0, 0, sides[at], sides[at]) for at in kept]
            tube.times = None if len(kept) == len(sides) else [start + at for at in kept]
        else:
            tube.frame_size = None
        tubes.append(tube)
    queries = {f"q{index}": Query(f"v{index}", "stir", frame_size=(320, 240)) for index in range(3)}
    with TemporaryDirectory() as folder:
        more = {"fps": 5.0, "queries": queries}
        content, report = write(Path(folder), name, tubes, **more)
        assert set(report.lost) <= {"sizes of frames"}
        again, _ = read(Path(folder), name, content, **more)
    # Queries without a box come last from TubeDETR's file.
    assert sorted(again, key=itemgetter("video")) == [plain(tube) for tube in tubes]


VQ2D = {
    "version": "1.0.5",
    "challenge": "ego4d_vq2d_challenge",
    "results": {
        "videos": [
            {
                "video_uid": "u",
                "frame_width": 640,
                "frame_height": 480,
                "clips": [
                    {
                        "clip_uid": "c",
                        "predictions": [
                            {
                                "query_sets": {
                                    "1": {
                                        "bboxes": [
                                            {"fno": n, "x1": n, "y1": 0, "x2": 30, "y2": 5}
                                            for n in (10, 11, 15)
                                        ],
                                        "score": 0.5,
                                    },
                                    "1-gt": {"bboxes": []},
                                    "2": {"bboxes": []},
                                }
                            }
                        ],
                    }
                ],
            }
        ]
    },
}


def test_vq2d_and_back(tmp_path: Path) -> None:
    tubes, report = read(tmp_path, "vq2d", VQ2D, ".json", label="a mug")
    assert tubes == [
        {
            "video": "c",
            "label": "a mug",
            "start": 2.0,
            "end": 3.2,
            "score": 0.5,
            "boxes": [[10, 0, 30, 5], [15, 0, 30, 5]],
            "frame_size": [640, 480],
            "meta": {
                "vq2d": {"video_uid": "u", "clip_uid": "c", "annotation": 0, "query_set": "1"}
            },
        }
    ]
    assert report.lost == {
        "frames between the whole seconds: a tube holds one a second": 1,
        "ground truth among the predictions": 1,
        "response tracks without a box": 1,
    }
    made = Tube(**tubes[0])
    content, report = write(tmp_path, "vq2d", [made], ".json")
    video = json.loads(content)["results"]["videos"][0]
    assert (video["video_uid"], video["frame_width"]) == ("u", 640)
    sets = video["clips"][0]["predictions"][0]["query_sets"]
    assert [box["fno"] for box in sets["1"]["bboxes"]] == [10, 15]
    assert report.lost == {
        "labels": 1,
        "bounds of intervals that are not those of the first and the last box": 1,
    }
