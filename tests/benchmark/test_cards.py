"""Data cards: what they say is what the loaders offer and find in the released files."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gytbench.benchmark import DATASETS, Benchmark, cards, load_benchmark
from gytbench.benchmark.cards import read_card
from gytbench.benchmark.datasets import Choice
from gytbench.benchmark.releases import manifest
from gytbench.benchmark.youcook_interactions import LEFT_OUT, STANDARD
from gytbench.bounds import make_bound
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, score
from gytbench.resources import annotations_folder

RELEASED = ("groundingyoutube", "miningyoutube", "youcook-interactions")
"""The datasets whose files are there to count."""


def test_every_dataset_has_a_card_and_nothing_else_has() -> None:
    names = {path.name for path in (annotations_folder() / "cards").iterdir()}
    assert names == {f"{name}.yaml" for name in DATASETS}


@pytest.mark.parametrize("name", DATASETS)
def test_a_card_explains_the_choices_of_its_dataset(name: str) -> None:
    card, dataset = read_card(name), DATASETS[name]
    assert card.name == name
    offers = (dataset.boxes, dataset.classes, dataset.subsets, dataset.coordinates)
    offered = {
        option: values
        for option, values in zip(Choice._fields, offers, strict=True)
        if values and (option in card.choices or values != ("all",))
    }
    # In the same order, for the first is the default.
    assert {option: tuple(meanings) for option, meanings in card.choices.items()} == offered
    unit = {"miningyoutube": "milliseconds"}.get(name, dataset.counts)
    assert card.time_unit.startswith(unit)
    assert "\n" not in card.summary


@pytest.mark.parametrize("name", DATASETS)
def test_a_card_names_every_file(name: str) -> None:
    paths = [file.path for file in read_card(name).files]
    assert len(set(paths)) == len(paths)
    assert all(path.startswith(f"{name}/") for path in paths)
    in_manifest = {file.path for file in manifest() if file.path.startswith(f"{name}/")}
    # sizes.json is the user's own.
    unpublished = {"youcook-interactions/sizes.json"}
    assert in_manifest == (set(paths) - unpublished if name in RELEASED else set())


@pytest.mark.parametrize("name", ["vhico", "daly"])
def test_cards_of_files_that_were_not_in_hand_say_so(name: str) -> None:
    card = read_card(name)
    assert "small files made to the documented layout" in card.tested
    assert "not in hand" in card.tested
    assert not card.counts
    assert card.stated


@pytest.fixture(scope="module")
def load(released: Path) -> Callable[..., Benchmark]:
    def loaded(**choices: str) -> Benchmark:
        return load_benchmark(data=released, **choices)

    return loaded


def units(benchmark: Benchmark) -> int:
    """(instance, second) with a box."""
    return sum(
        second in benchmark.boxes_of(instance)
        for instance in benchmark.instances
        for second in instance.seconds()
    )


def box_count(benchmark: Benchmark) -> int:
    return sum(map(len, benchmark.boxes.values()))


def test_counts_of_groundingyoutube(load: Callable[..., Benchmark]) -> None:
    benchmark = load()
    found = {
        "videos": len(benchmark.frames),
        "instances": len(benchmark.instances),
        "rows without time": len(benchmark.dropped),
        "classes of instances": len({i.label for i in benchmark.instances}),
        "steps of instances": len({i.step for i in benchmark.instances}),
    }
    releases = {release: load(boxes=release) for release in DATASETS["groundingyoutube"].boxes}
    found |= {f"boxes of {name}": box_count(each) for name, each in releases.items()}
    del releases["repaired"]
    found |= {f"scored units of {name}": units(each) for name, each in releases.items()}
    subset = load(subset="3to20")
    found |= {"instances of 3to20": len(subset.instances), "scored units of 3to20": units(subset)}
    assert read_card("groundingyoutube").counts == found


def test_counts_of_miningyoutube(load: Callable[..., Benchmark]) -> None:
    benchmark = load(dataset="miningyoutube")
    assert read_card("miningyoutube").counts == {
        "videos": len(benchmark.frames),
        "segments": len(benchmark.cues),
        "classes of segments": len({cue.label for cue in benchmark.cues}),
        "steps of segments": len({cue.step for cue in benchmark.cues}),
    }


def test_counts_of_youcook_interactions(load: Callable[..., Benchmark]) -> None:
    benchmark = load(dataset="youcook-interactions")
    subset = load(dataset="youcook-interactions", subset="videogem")
    boxes = [
        (video, second, box)
        for video, by_second in benchmark.boxes.items()
        for second, box in by_second.items()
    ]
    beyond = [video for video, _, (_, _, x2, y2) in boxes if x2 > 640 or y2 > 360]
    covered = [(i.video, second) for i in benchmark.instances for second in i.seconds()]
    scored = {(video, second) for video, second, _ in boxes} & set(covered)
    assert read_card("youcook-interactions").counts == {
        "videos": len(benchmark.frames),
        "videos without a box": len(benchmark.frames.keys() - {video for video, *_ in boxes}),
        "instances": len(benchmark.instances),
        "sentences": len(benchmark.classes.names),
        "boxes": len(boxes),
        "boxes without area": sum(x2 <= x1 or y2 <= y1 for _, _, (x1, y1, x2, y2) in boxes),
        "boxes in no segment": len(boxes) - len(scored),
        "boxes beyond 640x360": len(beyond),
        "videos with a box beyond 640x360": len(set(beyond)),
        "seconds of all instances": len(covered),
        "scored units": units(benchmark),
        "scored seconds": len(scored),
        "instances of videogem": len(subset.instances),
        "scored units of videogem": units(subset),
    }


def test_guessed_frames(load: Callable[..., Benchmark]) -> None:
    card = read_card("youcook-interactions")
    frames = load(dataset="youcook-interactions", coordinates="fixed").frames
    assert card.guessed_frames == {
        video: frame for video, frame in frames.items() if frame != (640, 360)
    }
    told = card.choices["coordinates"]["fixed"]
    sizes = [f"{width:g}x{height:g}" for width, height in STANDARD]
    assert re.findall(r"\d+x\d+", told)[1:] == sizes
    assert "a guess" in told


def test_the_left_out_videos_are_named() -> None:
    told = read_card("youcook-interactions").choices["subset"]["videogem"]
    assert set(re.findall(r"\S{11}(?=,| and|\.)", told)) >= set(LEFT_OUT)


@pytest.mark.parametrize("name", RELEASED)
def test_columns_are_metrics(load: Callable[..., Benchmark], name: str) -> None:
    benchmark = load(dataset=name)
    metrics: set[str] = set()
    for task in DATASETS[name].tasks:
        truth = make_bound("oracle-instance", benchmark, task)  # type: ignore[arg-type]
        protocol = Protocol(task, dataset=name)  # type: ignore[arg-type]
        metrics |= score(truth, benchmark, protocol).metrics.keys()
    assert {scored.metric for scored in read_card(name).scored} <= metrics
    # The other spatial datasets have the metrics of this one.
    if name == "youcook-interactions":
        for other in ("vhico", "daly"):
            assert {scored.metric for scored in read_card(other).scored} <= metrics


def table(first: str) -> list[list[str]]:
    """The cells of the table of docs/datasets.md whose head has `first` in its second column."""
    text = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = text[text.index(f"| `--dataset` | {first} |") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]


def test_the_choices_of_the_page() -> None:
    assert [tuple(row) for row in table("`--task`")] == [
        tuple(
            ", ".join(values)
            for values in (
                (dataset.name,),
                dataset.tasks,
                dataset.boxes,
                dataset.classes,
                dataset.subsets,
                dataset.coordinates,
            )
        )
        for dataset in DATASETS.values()
    ]


def test_the_columns_of_the_page() -> None:
    assert table("column") == [
        [name, scored.column, scored.metric]
        for name in DATASETS
        for scored in read_card(name).scored
    ]


def test_unknown_dataset() -> None:
    with pytest.raises(InputError, match=r"no such dataset: 'dally'.*did you mean 'daly'"):
        read_card("dally")


def test_a_card_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "annotations_folder", lambda: tmp_path)
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "daly.yaml").write_text("name: daly\ntitel: DALY\n")
    with pytest.raises(InputError) as caught:
        read_card("daly")
    assert str(tmp_path / "cards" / "daly.yaml") in str(caught.value)
    assert "unknown field `titel`" in str(caught.value)
