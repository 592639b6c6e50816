from pathlib import Path

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.models import tube_detr
from gytbench.models.positions import sine_times
from gytbench.models.tube_detr import TubeDetr, load_tube_detr
from tests.models.filling import filled, shapes, table
from tests.models.tubes import TIMES, make_small, small_state, write_small


@pytest.fixture
def _small(monkeypatch) -> None:
    make_small(monkeypatch)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_small(tmp_path_factory.mktemp("weights"))


def test_equals_the_reference_outputs(facts, monkeypatch) -> None:
    names = table(facts, "tubedetr")
    # Written to a file it would have 740 MB.
    monkeypatch.setattr(tube_detr, "read_checkpoint", lambda _: filled(names))
    model = load_tube_detr(Path("vidstg_k4_res352.pth"), "cpu", half=False)
    assert sorted(shapes(model)) == sorted(names)
    golden = np.load(facts / "golden/tubedetr.npz", allow_pickle=False)
    drawn = np.random.Generator(np.random.PCG64(3)).standard_normal((8, 3, 96, 128))
    with torch.inference_mode():
        cells = model.look(torch.from_numpy((0.5 * drawn).astype(np.float32)))
        tokens = model.read(torch.from_numpy(golden["input_ids"])[0])
        boxes, logits = model.find(cells, tokens)
    for found, expected in ((boxes, golden["pred_boxes"]), (logits, golden["pred_sted"][0])):
        assert found.shape == expected.shape
        assert np.abs(found.numpy() - expected).max() <= 1e-4 * np.abs(expected).max()


def loaded(state: object, folder: Path) -> dict[str, torch.Tensor]:
    torch.save(state, folder / "weights.pth")
    return load_tube_detr(folder / "weights.pth", "cpu", half=False).state_dict()


@pytest.mark.usefixtures("_small")
def test_the_averaged_weights_of_a_training_run_are_taken(checkpoint) -> None:
    state = load_tube_detr(checkpoint, "cpu", half=False).state_dict()
    for name, value in small_state().items():
        assert torch.equal(state[name], value), name
    assert torch.equal(state[TIMES], sine_times(200))


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    "stored",
    [
        lambda state: state,
        lambda state: {"model": state, "model_ema": None, "args": {}},
        lambda state: {"model_ema": {f"module.{name}": value for name, value in state.items()}},
    ],
    ids=["plain", "without averages", "distributed"],
)
def test_other_wrappings_load(tmp_path, stored) -> None:
    state = small_state()
    found = loaded(stored(state), tmp_path)
    assert all(torch.equal(found[name], value) for name, value in state.items())


@pytest.mark.usefixtures("_small")
def test_half_precision_is_stored_but_not_kept(tmp_path) -> None:
    state = {name: value.half() for name, value in small_state().items()}
    found = loaded({"model_ema": state}, tmp_path)
    assert {value.dtype for value in found.values()} == {torch.float32}
    assert torch.equal(found["input_proj.weight"], state["input_proj.weight"].float())


@pytest.mark.usefixtures("_small")
def test_of_many_queries_the_first_counts(tmp_path) -> None:
    state = small_state()
    first = state["query_embed.weight"]
    state["query_embed.weight"] = torch.cat([first, torch.ones(99, 256)])
    assert torch.equal(loaded({"model": state}, tmp_path)["query_embed.weight"], first)


@pytest.mark.usefixtures("_small")
def test_what_does_not_fit_is_named(tmp_path) -> None:
    state = small_state()
    del state["bbox_embed.layers.2.bias"]
    state["class_embed.weight"] = torch.zeros(2, 256)
    state["query_embed.weight"] = torch.tensor(1.0)
    with pytest.raises(InputError) as error:
        loaded({"model_ema": state}, tmp_path)
    told = str(error.value)
    assert "lacks 1 entry: bbox_embed.layers.2.bias" in told
    assert "has, beyond this model, 1 entry: class_embed.weight" in told
    assert "query_embed.weight scalar for 1x256" in told


@pytest.mark.usefixtures("_small")
def test_an_unknown_device_is_refused(checkpoint) -> None:
    with pytest.raises(InputError, match="the device cuda:77 cannot be used"):
        load_tube_detr(checkpoint, "cuda:77", half=False)


@pytest.fixture
def small(_small, checkpoint) -> TubeDetr:
    return load_tube_detr(checkpoint, "cpu", half=False, stride=3)


def frames(count: int) -> torch.Tensor:
    drawn = np.random.default_rng(1).standard_normal((count, 3, 64, 96))
    return torch.from_numpy(drawn.astype(np.float32))


@torch.inference_mode()
def test_frames_may_be_looked_at_in_parts(small) -> None:
    pixels = frames(5)
    whole = small.look(pixels)
    assert whole.shape == (5, 256, 2, 3)
    parts = torch.cat([small.look(pixels[:2]), small.look(pixels[2:])])
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_frame_has_a_box_whatever_the_stride(small, count) -> None:
    tokens = small.read(torch.tensor([0, 5, 9, 2]))
    assert tokens.shape == (4, 256)
    boxes, logits = small.find(small.look(frames(count)), tokens)
    assert (boxes.shape, logits.shape) == ((count, 4), (count, 2))
    assert ((boxes > 0) & (boxes < 1)).all()


@torch.inference_mode()
def test_text_is_encoded_with_every_stride_th_frame(small) -> None:
    """Without the fast branch the encoder's frames are all that is seen: 0 and 3 of 0 to 5."""
    for layer in (small.transformer.fast_residual.weight, small.transformer.fast_residual.bias):
        layer.zero_()
    cells, tokens = small.look(frames(6)), small.read(torch.tensor([0, 5, 9, 2]))
    before = small.find(cells, tokens)
    unseen = cells.clone()
    unseen[[1, 2, 4, 5]] = 0
    for found, expected in zip(small.find(unseen, tokens), before, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    unseen[3] = 0
    assert (small.find(unseen, tokens)[0] - before[0]).abs().max() > 1e-4


@torch.inference_mode()
def test_half_precision_is_close(small, checkpoint) -> None:
    half = load_tube_detr(checkpoint, "cpu", half=True, stride=3)
    ids = torch.tensor([0, 5, 9, 2])
    found = half.find(half.look(frames(4).half()), half.read(ids))
    expected = small.find(small.look(frames(4)), small.read(ids))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float16
        assert (one.float() - other).abs().max() <= 0.02 * other.abs().max()
