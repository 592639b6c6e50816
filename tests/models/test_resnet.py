import pytest
import torch
from transformers import ResNetConfig, ResNetModel

from gytbench.models.resnet import ResNetBody
from tests.models.filling import fill, shapes, table

PREFIX = "vis_encoder.0.body."


def test_names_and_shapes_are_those_of_resnet_101(facts) -> None:
    names = [(name.removeprefix(PREFIX), shape) for name, shape in table(facts, "stcat")]
    with torch.device("meta"):
        body = ResNetBody()
    assert shapes(body) == names[: len(shapes(body))]
    assert len(shapes(body)) == 520


def _entry(name: str) -> str:
    """What Hugging Face calls a stage's or the stem's convolution or normalisation."""
    first, *rest = name.split(".")
    kind = {"c": "convolution", "b": "normalization"}
    if first in ("conv1", "bn1"):
        return f"embedder.embedder.{kind[first[0]]}"
    block = f"encoder.stages.{int(first[-1]) - 1}.layers.{rest[0]}"
    if rest[1] == "downsample":
        return f"{block}.shortcut.{('convolution', 'normalization')[int(rest[2])]}"
    return f"{block}.layer.{int(rest[1][-1]) - 1}.{kind[rest[1][0]]}"


@pytest.mark.parametrize("size", [(64, 96), (75, 101)])
@torch.inference_mode()
def test_equals_another_implementation(size) -> None:
    layers = (1, 2, 1, 1)
    body = fill(ResNetBody(layers))
    other = ResNetModel(ResNetConfig(depths=list(layers))).eval()
    state = {}
    for name, value in body.state_dict().items():
        where, _, what = name.rpartition(".")
        state[f"{_entry(where)}.{what}"] = value
    told = other.load_state_dict(state, strict=False)
    assert not told.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in told.missing_keys)
    pixels = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    found, expected = body(pixels), other(pixels).last_hidden_state
    assert found.shape == (2, 2048, *(-(-side // 32) for side in size))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))
