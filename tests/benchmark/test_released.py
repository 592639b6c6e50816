"""The numbers of the released files, as the paper and the protocol state them."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.benchmark.releases import manifest, verify
from gytbench.benchmark.statistics import statistics


def test_counts(benchmark: Benchmark) -> None:
    assert len(benchmark.instances) == 5091
    assert len(benchmark.dropped) == 41
    assert len(benchmark.classes.names) == 512
    assert len({instance.label for instance in benchmark.instances}) == 512
    assert len(benchmark.videos) == 250
    assert list(benchmark.videos) == sorted(benchmark.videos)
    assert {instance.video for instance in benchmark.instances} == set(benchmark.videos)
    assert len({(instance.video, instance.id) for instance in benchmark.instances}) == 5091


def test_signature_of_the_released_files(benchmark: Benchmark) -> None:
    assert benchmark.data == "groundingyoutube"
    assert benchmark.release == "published"
    assert benchmark.release_sha256.startswith("d0c54512")
    assert benchmark.subset == "all"


@pytest.mark.parametrize(
    ("release", "count", "flat", "checksum"),
    [
        ("published", 17316, 18, "d0c54512"),
        ("readme", 17506, 52, "d685af9a"),
        ("full", 21719, 61, "b1e6c32b"),
    ],
)
def test_box_releases(released: Path, release: str, count: int, flat: int, checksum: str) -> None:
    benchmark = load_benchmark(boxes=release, data=released)
    boxes = [box for by_second in benchmark.boxes.values() for box in by_second.values()]
    assert len(boxes) == count
    assert sum(x2 <= x1 or y2 <= y1 for x1, y1, x2, y2 in boxes) == flat
    assert benchmark.release_sha256[:8] == checksum
    assert all(isinstance(coordinate, float) for coordinate in boxes[0])


def test_units_of_published(benchmark: Benchmark) -> None:
    seconds = [
        [second for second in instance.seconds() if second in benchmark.boxes[instance.video]]
        for instance in benchmark.instances
    ]
    with_box = [each for each, own in zip(benchmark.instances, seconds, strict=True) if own]
    assert sum(map(len, seconds)) == 17531
    assert len(with_box) == 4541
    assert len({instance.label for instance in with_box}) == 492


def test_ignored_seconds(benchmark: Benchmark) -> None:
    # 25,631 seconds are covered; 17,301 of the 17,316 boxes lie in one of them.
    assert sum(map(len, benchmark.ignored_seconds.values())) == 25631 - 17301
    assert 79 in benchmark.ignored_seconds["-1okAudsnAc"]
    assert 76 not in benchmark.ignored_seconds["-1okAudsnAc"]


def test_intervals_are_half_open(benchmark: Benchmark) -> None:
    first = next(each for each in benchmark.instances if each.video == "-1okAudsnAc")
    # The row says [76, 82], both included.
    assert (first.start, first.end, first.step, first.label) == (76, 83, "crack_eggs", "crack_egg")
    assert list(first.seconds()) == [76, 77, 78, 79, 80, 81, 82]


def test_portrait_video(benchmark: Benchmark) -> None:
    sizes = Counter(benchmark.frames.values())
    assert sizes == {(640, 480): 249, (480, 640): 1}
    assert benchmark.frames["7mabCfrc90Y"] == (480, 640)


def test_subset(released: Path) -> None:
    subset = load_benchmark(subset="3to20", data=released)
    assert len(subset.instances) == 2869
    assert subset.subset == "3to20"
    assert subset.data == "groundingyoutube"
    assert {len(instance.seconds()) for instance in subset.instances} == set(range(4, 22))


def test_steps_as_classes(released: Path) -> None:
    steps = load_benchmark(classes="step", data=released)
    assert len(steps.classes.names) == 690
    assert all(instance.label == instance.step for instance in steps.instances)
    # One step of the map is only that of a row that is dropped.
    assert len({instance.label for instance in steps.instances}) == 689


def test_inner_folder_is_the_same_data(released: Path, benchmark: Benchmark) -> None:
    inner = load_benchmark(data=released / "groundingyoutube")
    assert inner.data == "groundingyoutube"
    assert inner.instances == benchmark.instances
    assert inner.cues == benchmark.cues


def test_cues(benchmark: Benchmark) -> None:
    # 5,132 cues; 3 of them end as they begin.
    assert len(benchmark.cues) == 5132 - 3
    assert benchmark.cues_data == "miningyoutube"
    assert len({cue.video for cue in benchmark.cues}) == 250
    assert len({(cue.video, cue.id) for cue in benchmark.cues}) == 5129
    first = next(cue for cue in benchmark.cues if cue.video == "-1okAudsnAc")
    assert first[1:] == (0, 75.277, 83.517, "crack_eggs", "crack_egg")
    assert all(cue.start < cue.end for cue in benchmark.cues)


def test_points(benchmark: Benchmark) -> None:
    rounds = Counter(point.round for point in benchmark.points)
    assert rounds == {1: 5119 - 884, 2: 21868 - 4250}
    for point in benchmark.points:
        width, height = benchmark.frames[point.video]
        assert 0 <= point.x <= width
        assert 0 <= point.y <= height
        assert point.step in benchmark.classes.lookup
    first = next(p for p in benchmark.points if (p.video, p.second) == ("-1okAudsnAc", 101))
    # The video has 1920x1080 pixels of its own.
    assert first.round == 1
    assert first.x == pytest.approx(963.1214575851 / 3)
    assert first.y == pytest.approx(968.671490289 / 2.25)
    assert first.mean_distance == pytest.approx(7.0347457652)


def test_points_of_both_rounds_lie_in_one_frame(released: Path) -> None:
    # A point is the middle of its box but for clipping: that shows the scale of each round.
    full = load_benchmark(boxes="full", data=released)
    inside = {1: [0, 0], 2: [0, 0]}
    for point in full.points:
        box = full.boxes[point.video].get(point.second)
        if box is not None:
            hit = box[0] <= point.x <= box[2] and box[1] <= point.y <= box[3]
            inside[point.round][hit] += 1
    assert {
        number: round(hits / (hits + misses), 2) for number, (misses, hits) in inside.items()
    } == {1: 0.96, 2: 0.95}


def test_pools(benchmark: Benchmark) -> None:
    assert set(benchmark.pools) == set(benchmark.videos)
    assert sum(map(len, benchmark.pools.values())) == 2453 - 250
    assert benchmark.pools["-1okAudsnAc"][:3] == ("crack_eggs", "pour_egg_whites", "beat_mixture")
    assert all("background" not in pool for pool in benchmark.pools.values())


def test_every_released_file_is_right(released: Path) -> None:
    assert {each.state for each in verify(released)} == {"ok"}


def test_manifest_is_whole(released: Path) -> None:
    there = {
        path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()
    }
    listed = {file.path for file in manifest()}
    assert there >= listed
    assert {path for path in there - listed if not path.endswith(".part")} <= {
        "README.md",
        "groundingyoutube/classes.tsv",
    }


def test_statistics(released: Path) -> None:
    found = {each.name: each for each in statistics(released)}
    paper = {name: each.paper for name, each in found.items() if each.paper is not None}
    assert paper == {
        "videos": 250,
        "clips": 5091,
        "classes": 512,
        "annotated frames": 26987,
        "points": 134935,
        "instances a video, with background": 41.6,
    }
    for name, value in paper.items():
        assert round(found[name].measured, 1) == value
    # 10,399 stretches: 41.596 a video.
    assert found["instances a video, with background"].measured == 10399 / 250
    assert found["boxes, full"].measured == 21719
    assert found["boxes, full"].note.startswith("61 ")


def test_manifest_urls_are_pinned() -> None:
    pattern = re.compile(r"https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[0-9a-f]{12,40}/.+")
    for file in manifest():
        assert pattern.fullmatch(file.url), file.path
        assert file.size > 0
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.licence
        assert file.needed_by
    paths = sorted(file.path for file in manifest())
    assert all(one != two for one, two in pairwise(paths))
