"""What is written is what is read, in every form."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.predictions import (
    TASKS,
    Predictions,
    PredictionWriter,
    Tube,
    load_predictions,
    pack,
    save_predictions,
)
from gytbench.predictions.encoding import decode_heatmap, decode_runs

from .making import BENCHMARK, FORMS, TALL, tube
from .tubes import FRAME_SIZES, OBJECTS, tubes


def decoded(read: Tube) -> dict[str, Any]:
    """The fields of a tube, heatmaps and masks as the values that they stand for."""
    fields = msgspec.structs.asdict(read)
    if read.heatmaps is not None:
        fields["heatmaps"] = [m and decode_heatmap(m).tolist() for m in read.heatmaps]
    if read.masks is not None:
        fields["masks"] = [m and (m.size, decode_runs(m).tolist()) for m in read.masks]
    return fields


def shown(values: Any) -> bytes:
    """As JSON, so that 0.0 and -0.0, or 1 and 1.0, are not taken for the same."""
    return msgspec.json.encode(values)


@settings(max_examples=60, deadline=None)
@given(
    written=st.lists(tubes(), max_size=4),
    task=st.sampled_from(TASKS),
    model=OBJECTS,
    frame_size=st.none() | FRAME_SIZES,
)
def test_every_form_is_lossless(
    written: list[Tube], task: Any, model: dict[str, Any], frame_size: Any
) -> None:
    with TemporaryDirectory() as folder:
        for form in FORMS:
            path = Path(folder) / f"preds{form}"
            save_predictions(Predictions(task, written, model, frame_size), path)
            read = load_predictions(path)
            assert (read.task, read.frame_size) == (task, frame_size)
            assert shown(read.model) == shown(model)
            if form == ".parquet":
                assert shown([decoded(t) for t in read.tubes]) == shown(
                    [decoded(t) for t in written]
                )
            else:
                assert shown(read.tubes) == shown(written)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_tubes_give_the_same_bytes(tmp_path: Path, form: str) -> None:
    # Other names and another writer: nothing of either may be in the file.
    for name in ("one", "another"):
        with PredictionWriter(tmp_path / (name + form), task="st") as writer:
            writer.write([tube(score=0.25), tube(points=[[0.5, 0.5], None, [0, 1]])])
    one, another = (tmp_path / (name + form) for name in ("one", "another"))
    assert one.read_bytes() == another.read_bytes()


def test_gzip_header_holds_no_time_and_no_name(tmp_path: Path) -> None:
    path = tmp_path / "preds.json.gz"
    with PredictionWriter(path, task="st"):
        pass
    # RFC 1952: the flags are byte 3 (8 = a name follows), the time is bytes 4 to 7.
    assert path.read_bytes()[3:8] == bytes(5)


@pytest.mark.parametrize("form", FORMS)
def test_packed_values_are_the_same_in_every_form(tmp_path: Path, form: str) -> None:
    tubes = [
        tube(times=[2, 4], points=[[5, 7], None], scores=[0.5, 0.25], frame_size=[10, 20]),
        tube(video=TALL, heatmaps=[[[0.1, 0.7]], None, [[1], [2]]], label="Sauté it"),
        tube(masks=[{"size": [2, 2], "counts": [1, 2, 1]}, None, {"size": [2, 2], "counts": "04"}]),
    ]
    path = tmp_path / f"preds{form}"
    with PredictionWriter(path, task="st", frame_size=(640, 480)) as writer:
        writer.write(tubes)
    packed = pack(load_predictions(path), BENCHMARK, "st")
    # 5 of 10 is half of 640, 7 of 20 a third of 480 and a bit; second 3 has nothing to say.
    assert packed.point[:3].tolist()[0] == [320, 168]
    assert packed.entry_score[:3].tolist() == [0.5, 1, 0.25]
    # The second of two cells on a frame 480 wide; the second of two on one 640 high.
    assert packed.point[3].tolist() == [360, 320]
    assert packed.point[5].tolist() == [240, 480]
    # Set are pixels 1 and 2 down the columns: (row 1, column 0) and (row 0, column 1).
    assert packed.point[6].tolist() == [320, 240]
    assert packed.masks[0].entry.tolist() == [6, 8]
    assert packed.masks[0].first.tolist() == [1, 0]
    assert packed.masks[0].stop.tolist() == [3, 4]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_without_tubes(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"preds{form}"
    with PredictionWriter(path, task="temporal", model={"name": "nothing"}):
        pass
    read = load_predictions(path)
    assert (read.tubes, read.task, read.model) == ([], "temporal", {"name": "nothing"})


@pytest.mark.parametrize("form", FORMS)
def test_many_tubes_written_piece_by_piece_keep_their_order(tmp_path: Path, form: str) -> None:
    # More than the writer's chunk and Parquet's batch, in pieces that divide neither.
    path = tmp_path / f"preds{form}"
    with PredictionWriter(path, task="st") as writer:
        for first in range(0, 9_000, 1_500):
            writer.write(tube(score=score) for score in range(first, first + 1_500))
    assert [t.score for t in load_predictions(path).tubes] == list(range(9_000))
