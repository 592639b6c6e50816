"""The proposal network: names, anchors and shifts by hand, maps beside a functional twin."""

from math import log, sqrt

import numpy as np
import pytest
import torch
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.models.region_proposals import (
    RegionProposals,
    anchors,
    best_of_level,
    clipped,
    load_region_proposals,
    shifted,
)
from tests.models.filling import fill, shapes

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
HEAD = "proposal_generator.rpn_head"


def detectron2_table() -> dict[str, tuple[int, ...]]:
    """The names and shapes of Mask R-CNN R50-FPN up to its proposals."""
    table: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, side: int) -> None:
        table[f"backbone.bottom_up.{name}.weight"] = (out, into, side, side)
        for part in ("weight", "bias", "running_mean", "running_var"):
            table[f"backbone.bottom_up.{name}.norm.{part}"] = (out,)

    conv("stem.conv1", 64, 3, 7)
    into = 64
    for stage, count in BLOCKS.items():
        planes = 16 * 2**stage
        for block in range(count):
            name = f"res{stage}.{block}"
            if block == 0:
                conv(f"{name}.shortcut", 4 * planes, into, 1)
            conv(f"{name}.conv1", planes, into, 1)
            conv(f"{name}.conv2", planes, planes, 3)
            conv(f"{name}.conv3", 4 * planes, planes, 1)
            into = 4 * planes
        table[f"backbone.fpn_lateral{stage}.weight"] = (256, into, 1, 1)
        table[f"backbone.fpn_output{stage}.weight"] = (256, 256, 3, 3)
        table |= {f"backbone.fpn_{part}{stage}.bias": (256,) for part in ("lateral", "output")}
    for name, out, side in (
        ("conv", 256, 3),
        ("objectness_logits", 3, 1),
        ("anchor_deltas", 12, 1),
    ):
        table |= {f"{HEAD}.{name}.weight": (out, 256, side, side), f"{HEAD}.{name}.bias": (out,)}
    return table


@pytest.fixture(scope="module")
def model() -> RegionProposals:
    made = fill(RegionProposals())
    assert isinstance(made, RegionProposals)
    return made.requires_grad_(False)


def test_names_and_shapes_are_detectron2s(model):
    assert dict(shapes(model)) == detectron2_table()


def maps_of(state: dict[str, torch.Tensor], image: torch.Tensor) -> list[torch.Tensor]:
    """The pyramid, written out: image is 3 x height x width, RGB, of sides that 32 divides."""

    def conv(x, name, stride=1):
        weight = state[f"{name}.weight"]
        return functional.conv2d(
            x, weight, state.get(f"{name}.bias"), stride, padding=weight.shape[-1] // 2
        )

    def normed(x, name, stride=1):
        scale, bias, mean, var = (
            state[f"backbone.bottom_up.{name}.norm.{part}"][:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        x = conv(x, f"backbone.bottom_up.{name}", stride)
        return (x - mean) / torch.sqrt(var + 1e-5) * scale + bias

    blue_first = image[[2, 1, 0]] - torch.tensor([103.53, 116.28, 123.675])[:, None, None]
    x = functional.relu(normed(blue_first[None], "stem.conv1", 2))
    x = functional.max_pool2d(x, kernel_size=3, stride=2, padding=1)
    laterals = {}
    for stage, count in BLOCKS.items():
        for block in range(count):
            name, stride = f"res{stage}.{block}", 2 if stage > 2 and block == 0 else 1
            y = functional.relu(normed(x, f"{name}.conv1", stride))
            y = normed(functional.relu(normed(y, f"{name}.conv2")), f"{name}.conv3")
            x = functional.relu(y + (x if block else normed(x, f"{name}.shortcut", stride)))
        laterals[stage] = conv(x, f"backbone.fpn_lateral{stage}")
    for stage in (4, 3, 2):
        above = laterals[stage + 1].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        laterals[stage] = laterals[stage] + above
    maps = [conv(laterals[stage], f"backbone.fpn_output{stage}") for stage in BLOCKS]
    return [*maps, functional.max_pool2d(maps[-1], kernel_size=1, stride=2)]


def test_the_maps_are_those_of_the_network_written_out(model):
    image = torch.from_numpy(np.random.default_rng(0).random((3, 60, 96)) * 255).float()
    seen = []
    hook = model.backbone.register_forward_hook(lambda _module, _input, output: seen.extend(output))
    with torch.inference_mode():
        model(image, 10)
        # What is missing to whole cells is filled up with the mean, on the right and below.
        mean = torch.tensor([123.675, 116.28, 103.53])[:, None, None].expand(3, 4, 96)
        expected = maps_of(model.state_dict(), torch.cat([image, mean], dim=1))
    hook.remove()
    assert [tuple(each.shape[2:]) for each in seen] == [(16, 24), (8, 12), (4, 6), (2, 3), (1, 2)]
    for found, own in zip(seen, expected, strict=True):
        assert (found - own).abs().max() < 1e-4 * own.abs().max()


def test_anchors_lie_around_the_corners_of_cells():
    wide, high = 32 * sqrt(2), 32 / sqrt(2)
    found = anchors(2, torch.empty(1, 256, 2, 3))
    assert found.shape == (18, 4)
    expected = [
        [-wide / 2, -high / 2, wide / 2, high / 2],
        [-16, -16, 16, 16],
        [-high / 2, -wide / 2, high / 2, wide / 2],
    ]
    np.testing.assert_allclose(found[:3], expected, rtol=1e-6)
    np.testing.assert_allclose(found[3:6], np.add(expected, [4, 0, 4, 0]), rtol=1e-6)
    np.testing.assert_allclose(found[9:12], np.add(expected, [0, 4, 0, 4]), rtol=1e-6)
    np.testing.assert_allclose(anchors(6, torch.empty(1, 1, 2, 2))[-2], [-192, -192, 320, 320])


def test_shifts_move_and_stretch():
    boxes = torch.tensor([[0.0, 0, 10, 20], [10, 10, 30, 20], [0, 0, 2, 2]])
    shifts = torch.tensor([[0.1, 0.2, log(2), 0], [0, 0, 0, 0], [0, 0, 100, -100.0]])
    found = shifted(boxes, shifts)
    np.testing.assert_allclose(found[:2], [[-4, 4, 16, 24], [10, 10, 30, 20]], atol=1e-5)
    np.testing.assert_allclose(found[2], [1 - 62.5, 1, 1 + 62.5, 1], atol=1e-4)


def test_clipping_to_the_image():
    boxes = torch.tensor([[-5.0, -5, 5, 5], [90, 40, 200, 60], [120, 10, 130, 20]])
    assert clipped(boxes, 100, 50).tolist() == [[0, 0, 5, 5], [90, 40, 100, 50], [100, 10, 100, 20]]


def test_the_likeliest_thousand_of_a_level_count():
    logits = torch.from_numpy(np.random.default_rng(0).permutation(1500)).float()
    boxes = torch.arange(1500.0)[:, None] + torch.tensor([0, 0, 2, 2.0])
    found, best = best_of_level(logits, torch.zeros(1500, 4), boxes)
    assert best.tolist() == list(range(1499, 499, -1))
    assert found[:, 0].tolist() == [logits.tolist().index(value) for value in best.tolist()]


def test_numbers_that_are_none_are_refused():
    boxes = torch.zeros(2, 4)
    for logits, shift in ((float("nan"), 0.0), (0.0, float("inf"))):
        with pytest.raises(FloatingPointError):
            best_of_level(torch.tensor([0.0, logits]), torch.full((2, 4), shift), boxes)


class Given(torch.nn.Module):
    """In place of the head."""

    def __init__(self, rows: list[tuple[list[float], float, int]]) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, _maps: object) -> tuple[torch.Tensor, ...]:
        boxes = torch.tensor([box for box, _, _ in self.rows]).reshape(-1, 4).float()
        logits, levels = (torch.tensor([row[part] for row in self.rows]) for part in (1, 2))
        return boxes, logits, levels


def proposed(rows: list[tuple[list[float], float, int]], count: int) -> list[list[float]]:
    with torch.device("meta"):
        model = RegionProposals()
    model.backbone = torch.nn.Identity()
    model._prepared = lambda pixels: pixels
    model.proposal_generator = Given(rows)
    return model(torch.zeros(3, 50, 100), count).tolist()


def test_proposals_are_clipped_and_suppressed_level_by_level():
    rows = [
        ([10, 10, 30, 30], 1.0, 0),
        ([10, 10, 30, 30.1], 2.0, 0),  # better than the first, and nearly the same
        ([10, 10, 30, 30], 0.5, 1),  # the same, of another level
        ([-20, 10, 20, 60], 3.0, 2),  # cut to the image
        ([110, 10, 130, 30], 9.0, 2),  # outside: in the padding
        ([10, 10, 30, 29], -4.0, 1),  # IoU 0.95 with another of its level
        ([60, 10, 80, 30], -5.0, 1),
    ]
    expected = [[0, 10, 20, 50], [10, 10, 30, 30.1], [10, 10, 30, 30], [60, 10, 80, 30]]
    np.testing.assert_allclose(proposed(rows, 1000), expected, rtol=1e-6)
    np.testing.assert_allclose(proposed(rows, 2), expected[:2], rtol=1e-6)


def test_there_may_be_no_proposal():
    assert proposed([([110, 10, 130, 30], 9.0, 0)], 1000) == []


def test_boxes_of_the_whole_network_lie_within_the_image(model):
    image = torch.from_numpy(np.random.default_rng(1).random((3, 50, 70)) * 255).float()
    with torch.inference_mode():
        boxes = model(image, 7)
    assert 0 < len(boxes) <= 7
    assert (boxes >= 0).all()
    assert (boxes <= torch.tensor([70, 50, 70, 50])).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def published(state: dict[str, torch.Tensor]) -> dict[str, object]:
    """As detectron2 saves a whole Mask R-CNN, in half precision."""
    beside = {
        "roi_heads.box_head.fc1.weight": torch.zeros(4, 4),
        "roi_heads.mask_head.predictor.bias": torch.zeros(4),
        "proposal_generator.anchor_generator.cell_anchors.0": torch.zeros(3, 4),
        "pixel_mean": torch.zeros(3, 1, 1),
        "pixel_std": torch.ones(3, 1, 1),
    }
    half = {name: value.half() for name, value in state.items()}
    return {"model": {**half, **beside}, "iteration": 89999, "optimizer": {"lr": 0.02}}


def test_the_published_layout_is_read(model, tmp_path):
    path = tmp_path / "rpn_lvis_866.pth"
    torch.save(published(model.state_dict()), path)
    loaded = load_region_proposals(path)
    assert all(value.dtype == torch.float32 for value in loaded.state_dict().values())
    own = model.state_dict()
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, own[name].half().float()), name


def test_other_files_are_refused(tmp_path):
    state = {name: torch.zeros(shape) for name, shape in detectron2_table().items()}
    del state[f"{HEAD}.conv.weight"]
    state[f"{HEAD}.conv.conv0.weight"] = torch.zeros(256, 256, 3, 3)
    path = tmp_path / "rpn_lvis_866_lsj.pth"
    torch.save({"model": state}, path)
    with pytest.raises(InputError) as caught:
        load_region_proposals(path)
    assert f"{path}: lacks 1 entry: {HEAD}.conv.weight" in str(caught.value)
    assert f"beyond this model, 1 entry: {HEAD}.conv.conv0.weight" in str(caught.value)
    torch.save(
        {"visual.conv1.weight": torch.zeros(2), "token_embedding.weight": torch.zeros(2)}, path
    )
    with pytest.raises(InputError, match="looks like a checkpoint of CLIP"):
        load_region_proposals(path)
