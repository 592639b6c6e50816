from math import cos, pi, sin
from pathlib import Path

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.models.positions import sine_times
from gytbench.models.stcat import Stcat, load_stcat, network
from gytbench.models.stcat.decoder import sine_boxes
from tests.models.filling import filled, shapes, table
from tests.models.stcats import INNER, OUTER, TIMES, make_small, small_state, write_small


@pytest.fixture
def _small(monkeypatch) -> None:
    make_small(monkeypatch)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_small(tmp_path_factory.mktemp("weights"))


def test_equals_the_reference_outputs(facts, monkeypatch) -> None:
    names = table(facts, "stcat")
    # Written to a file it would have 830 MB.
    monkeypatch.setattr(network, "read_checkpoint", lambda _: filled(names))
    model = load_stcat(Path("vidstg_res448.pth"), "cpu", half=False)
    assert shapes(model) == names
    golden = np.load(facts / "golden/stcat.npz", allow_pickle=False)
    drawn = np.random.Generator(np.random.PCG64(3)).standard_normal((8, 3, 96, 128))
    with torch.inference_mode():
        cells = model.look(torch.from_numpy((0.5 * drawn).astype(np.float32)))
        tokens = model.read(torch.from_numpy(golden["input_ids"])[0])
        boxes, logits, present = model.find(cells, tokens)
    expected = (golden["pred_boxes"], golden["pred_sted"][0], golden["pred_actioness"][0])
    for found, reference in zip((boxes, logits, present), expected, strict=True):
        assert found.shape == reference.shape
        assert np.abs(found.numpy() - reference).max() <= 1e-4 * np.abs(reference).max()


def loaded(state: object, folder: Path) -> dict[str, torch.Tensor]:
    torch.save(state, folder / "weights.pth")
    return load_stcat(folder / "weights.pth", "cpu", half=False).state_dict()


@pytest.mark.usefixtures("_small")
def test_the_averaged_weights_of_a_training_run_are_taken(checkpoint) -> None:
    state = load_stcat(checkpoint, "cpu", half=False).state_dict()
    for name, value in small_state().items():
        assert torch.equal(state[name], value), name
    for name in TIMES:
        assert torch.equal(state[name], sine_times(301))


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    "stored",
    [
        lambda state: state,
        lambda state: {"model": state, "optimizer": {}, "iteration": 3},
        lambda state: {"model": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {"model": state | {TIMES[0]: torch.zeros(201, 1, 256)}},
    ],
    ids=["plain", "without averages", "distributed", "times of another length"],
)
def test_other_wrappings_load(tmp_path, stored) -> None:
    state = small_state()
    found = loaded(stored(state), tmp_path)
    assert all(torch.equal(found[name], value) for name, value in state.items())
    assert torch.equal(found[TIMES[0]], sine_times(301))


@pytest.mark.usefixtures("_small")
def test_half_precision_is_stored_but_not_kept(tmp_path) -> None:
    state = {name: value.half() for name, value in small_state().items()}
    found = loaded({"model": state}, tmp_path)
    assert {value.dtype for value in found.values()} == {torch.float32}
    assert torch.equal(found["input_proj.weight"], state["input_proj.weight"].float())


@pytest.mark.usefixtures("_small")
def test_the_layers_of_boxes_are_one_module(checkpoint) -> None:
    model = load_stcat(checkpoint, "cpu", half=False)
    assert model.get_submodule(INNER).layers[0].weight is model.bbox_embed.layers[0].weight


@pytest.mark.usefixtures("_small")
def test_what_does_not_fit_is_named(tmp_path) -> None:
    state = small_state()
    del state["temp_embed.layers.1.bias"], state[f"{INNER}.layers.2.bias"]
    state["class_embed.weight"] = torch.zeros(2, 256)
    state[f"{OUTER}.layers.2.bias"] = torch.tensor(1.0)
    with pytest.raises(InputError) as error:
        loaded({"model_ema": state}, tmp_path)
    told = str(error.value)
    assert f"lacks 2 entries: {INNER}.layers.2.bias, temp_embed.layers.1.bias" in told
    assert "has, beyond this model, 1 entry: class_embed.weight" in told
    assert f"{OUTER}.layers.2.bias scalar for 4" in told


@pytest.mark.usefixtures("_small")
def test_a_checkpoint_of_another_system_is_recognised(tmp_path) -> None:
    other = ("transformer.text_encoder.pooler.dense.bias", "sted_embed.layers.0.bias")
    with pytest.raises(InputError, match="looks like a checkpoint of TubeDETR"):
        loaded({"model_ema": {name: torch.zeros(256) for name in other}}, tmp_path)


@pytest.mark.usefixtures("_small")
def test_an_unknown_device_is_refused(checkpoint) -> None:
    with pytest.raises(InputError, match="the device cuda:77 cannot be used"):
        load_stcat(checkpoint, "cuda:77", half=False)


@pytest.fixture
def small(_small, checkpoint) -> Stcat:
    return load_stcat(checkpoint, "cpu", half=False)


def frames(count: int) -> torch.Tensor:
    drawn = np.random.default_rng(1).standard_normal((count, 3, 64, 96))
    return torch.from_numpy(drawn.astype(np.float32))


IDS = torch.tensor([0, 5, 9, 2])


@torch.inference_mode()
def test_frames_may_be_looked_at_in_parts(small) -> None:
    pixels = frames(5)
    whole = small.look(pixels)
    assert whole.shape == (5, 256, 2, 3)
    parts = torch.cat([small.look(pixels[:2]), small.look(pixels[2:])])
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_frame_has_an_answer(small, count) -> None:
    tokens = small.read(IDS)
    assert tokens.shape == (4, 256)
    boxes, logits, present = small.find(small.look(frames(count)), tokens)
    assert (boxes.shape, logits.shape, present.shape) == ((count, 4), (count, 2), (count, 1))
    assert ((boxes > 0) & (boxes < 1)).all()


@torch.inference_mode()
def test_frames_see_each_other_in_their_order_and_the_text(small) -> None:
    cells, tokens = small.look(frames(4)), small.read(IDS)
    expected = torch.cat(small.find(cells, tokens), dim=1)
    turned = torch.cat(small.find(cells.flip(0), tokens), dim=1).flip(0)
    alone = torch.cat(small.find(cells[:1], tokens), dim=1)
    other = torch.cat(small.find(cells, small.read(IDS[[0, 1, 1, 3]])), dim=1)
    for found in (turned, other, alone):
        assert (found - expected[: len(found)]).abs().max() > 1e-4


@torch.inference_mode()
def test_half_precision_is_close(small, checkpoint) -> None:
    half = load_stcat(checkpoint, "cpu", half=True)
    found = half.find(half.look(frames(4).half()), half.read(IDS))
    expected = small.find(small.look(frames(4)), small.read(IDS))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float16
        assert (one.float() - other).abs().max() <= 0.02 * other.abs().max()


def test_sines_of_a_box_by_hand() -> None:
    """y, x, width, height; the first pair has the period 1, the second a little more."""
    x, y, width, height = 0.1, 0.3, 0.25, 0.75
    found = sine_boxes(torch.tensor([[x, y, width, height]]))[0].reshape(4, 128)
    for row, value in zip(found.tolist(), (y, x, width, height), strict=True):
        slower = 10_000 ** (2 / 128)
        angles = [2 * pi * value, 2 * pi * value / slower]
        expected = [function(angle) for angle in angles for function in (sin, cos)]
        assert row[:4] == pytest.approx(expected, abs=1e-6)
