from pathlib import Path

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.models.s3d import S3D, as_video, load_s3d
from tests.models.filling import fill, filled, shapes, table

ROWS = 12


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Weights of S3D with a short dictionary."""
    return filled(shapes(S3D(ROWS)))


@pytest.fixture(scope="module")
def golden(facts):
    with np.load(facts / "golden" / "s3d_milnce_T16.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def outputs(golden):
    """What the full model says for the inputs of the reference."""
    model = fill(S3D(66250))
    drawn = np.random.Generator(np.random.PCG64(0)).random((2, 3, 16, 224, 224))
    with torch.inference_mode():
        cells = model.feature_map(torch.from_numpy(drawn.astype(np.float32)))
        pooled = cells.mean(dim=(2, 3, 4))
        return {
            "mixed_5c_map": cells[:, :16],
            "mixed_5c_mean": pooled,
            "video_embedding": model.fc(pooled),
            "text_embedding": model.text_module(torch.from_numpy(golden["text_ids"])),
        }


def save(state, folder: Path, change=None) -> Path:
    path = folder / "weights.pth"
    torch.save(change(state) if change else state, path)
    return path


def test_names_and_shapes_are_those_of_the_released_checkpoint(facts) -> None:
    assert shapes(S3D(66250)) == table(facts, "s3d_milnce")


@pytest.mark.parametrize(
    "name", ["mixed_5c_map", "mixed_5c_mean", "video_embedding", "text_embedding"]
)
def test_outputs_are_those_of_the_reference(golden, outputs, name) -> None:
    largest = np.abs(golden[name]).max()
    np.testing.assert_allclose(outputs[name].numpy(), golden[name], rtol=0, atol=1e-4 * largest)


def test_the_forward_pass_embeds_the_mean_cell(state) -> None:
    model = S3D(ROWS)
    model.load_state_dict(state)
    video = torch.rand(1, 3, 8, 64, 32)
    with torch.inference_mode():
        cells = model.eval().feature_map(video)
        expected = model.fc(cells.mean((2, 3, 4)))
        assert torch.equal(model(video), expected)


@pytest.mark.parametrize(("frames", "steps"), [(8, 1), (16, 2), (32, 4)])
@pytest.mark.parametrize("space_to_depth", [True, False])
def test_time_shrinks_eightfold_and_space_thirtytwofold(frames, steps, space_to_depth) -> None:
    model = S3D(ROWS, space_to_depth).eval()
    with torch.inference_mode():
        cells = model.feature_map(torch.rand(1, 3, frames, 64, 32))
    assert cells.shape == (1, 1024, steps, 2, 1)


def test_a_text_is_read_with_its_pads(state) -> None:
    model = S3D(ROWS)
    model.load_state_dict(state)
    tower = model.text_module
    with torch.inference_mode():
        full, padded = tower(torch.tensor([[3, 5]])), tower(torch.tensor([[3, 5, 0]]))
        vectors = torch.relu(tower.word_embd.weight @ tower.fc1.weight.T + tower.fc1.bias)
        expected = tower.fc2(vectors[[3, 5, 0]].amax(dim=0))
    assert not torch.allclose(full, padded)
    torch.testing.assert_close(padded[0], expected)


def test_the_order_of_words_does_not_matter(state) -> None:
    model = S3D(ROWS)
    model.load_state_dict(state)
    with torch.inference_mode():
        one, other = model.text_module(torch.tensor([[3, 5, 0], [5, 3, 0]]))
    torch.testing.assert_close(one, other)


def test_a_released_checkpoint_is_loaded(state, tmp_path) -> None:
    model = load_s3d(save(state, tmp_path))
    assert not model.training
    assert torch.equal(model.mixed_5c.conv_b0.conv1.weight, state["mixed_5c.conv_b0.conv1.weight"])
    assert model.text_module.word_embd.num_embeddings == ROWS


def test_a_checkpoint_of_training_with_the_other_first_layer_is_loaded(state, tmp_path) -> None:
    kernel = torch.rand(64, 3, 3, 7, 7)
    changed = {f"module.{name}": value for name, value in state.items()}
    changed["module.conv1.conv1.weight"] = kernel
    model = load_s3d(save({"epoch": 3, "state_dict": changed}, tmp_path))
    assert torch.equal(model.conv1.conv1.weight, kernel)
    video = torch.rand(1, 3, 8, 32, 32)
    with torch.inference_mode():
        first = model.conv1.conv1(video)
    expected = (video[:, :, :2, :4, :4] * kernel[:1, :, 1:, 3:, 3:]).sum()
    torch.testing.assert_close(first[0, 0, 0, 0, 0], expected)


def test_counts_of_batches_may_be_missing(state, tmp_path) -> None:
    def without(names):
        return {name: x for name, x in names.items() if "num_batches" not in name}

    load_s3d(save(state, tmp_path, without))


def test_other_missing_entries_are_named(state, tmp_path) -> None:
    def without(names):
        return {name: x for name, x in names.items() if name != "mixed_3b.gating_b0.fc.bias"}

    with pytest.raises(InputError, match=r"lacks 1 entry: mixed_3b\.gating_b0\.fc\.bias"):
        load_s3d(save(state, tmp_path, without))


def test_unknown_entries_are_named(state, tmp_path) -> None:
    path = save(state, tmp_path, lambda names: {**names, "head.weight": torch.zeros(2)})
    with pytest.raises(InputError, match=r"head\.weight"):
        load_s3d(path)


@pytest.mark.parametrize("name", ["conv1.conv1.weight", "text_module.word_embd.weight"])
def test_weights_of_another_network_are_refused(state, tmp_path, name) -> None:
    def without(names):
        return {key: x for key, x in names.items() if key != name}

    with pytest.raises(InputError, match=f"no entry {name}: not a checkpoint of S3D"):
        load_s3d(save(state, tmp_path, without))


def test_a_table_of_another_shape_is_refused(state, tmp_path) -> None:
    def scalar(names):
        return {**names, "text_module.word_embd.weight": torch.tensor(1.0)}

    with pytest.raises(InputError, match=r"word_embd\.weight scalar for 0x300"):
        load_s3d(save(state, tmp_path, scalar))


def test_half_precision_is_close_and_leaves_texts_alone(state, tmp_path) -> None:
    path = save(state, tmp_path)
    video = torch.rand(1, 3, 8, 32, 32)
    ids = torch.tensor([[3, 5, 0]])
    single, half = load_s3d(path), load_s3d(path, half=True)
    with torch.inference_mode():
        expected, found = single(video), half(video)
        assert torch.equal(half.text_module(ids), single.text_module(ids))
    assert half.conv1.conv1.weight.dtype == torch.float16
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0, atol=0.01 * float(expected.abs().max()))


def test_a_device_that_is_not_there_is_named(state, tmp_path) -> None:
    with pytest.raises(InputError, match="the device nowhere cannot be used"):
        load_s3d(save(state, tmp_path), device="nowhere")


def test_pixels_become_colour_first_fractions() -> None:
    clips = np.arange(2 * 4 * 6 * 8 * 3, dtype=np.uint8).reshape(2, 4, 6, 8, 3)
    video = as_video(clips, "cpu")
    assert video.shape == (2, 3, 4, 6, 8)
    assert video[1, 2, 3, 4, 5] == torch.tensor(clips[1, 3, 4, 5, 2] / 255, dtype=torch.float32)
