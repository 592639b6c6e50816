"""The network of MiningYouTube's baseline: its layout and what it computes."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.models.mining_mlp import HIDDEN, MiningMlp, load_mining_mlp


def published(classes: int) -> dict[str, torch.Tensor]:
    """A state dict in the published layout, of random values."""
    random = torch.Generator().manual_seed(1)
    shapes = {"fc.weight": (256, 2048), "fc.bias": (256,)}
    for number in range(classes):
        shapes |= {f"out_fc.{number}.weight": (2, 256), f"out_fc.{number}.bias": (2,)}
    return {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}


def test_the_layout_is_the_published_one():
    state = MiningMlp(513).state_dict()
    expected = published(513)
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in expected.items()
    }
    assert len(state) == 2 + 2 * 513
    assert HIDDEN == 256


def slowly(state, features):
    """Class by class, as the published code does it."""
    hidden = functional.relu(functional.linear(features, state["fc.weight"], state["fc.bias"]))
    found = []
    for number in range((len(state) - 2) // 2):
        head = f"out_fc.{number}."
        two = functional.linear(hidden, state[head + "weight"], state[head + "bias"])
        found.append(functional.log_softmax(two, dim=1))
    return torch.stack(found, dim=1)


@pytest.mark.parametrize("wrapper", ["", "state_dict", "module."])
def test_a_published_checkpoint_gives_what_its_heads_give_one_by_one(tmp_path, wrapper):
    state = published(5)
    stored = {f"module.{n}": v for n, v in state.items()} if wrapper == "module." else state
    path = tmp_path / "mlp.pth"
    torch.save({wrapper: stored} if wrapper == "state_dict" else stored, path)
    network = load_mining_mlp(path, 5)
    features = torch.randn(9, 2048, generator=torch.Generator().manual_seed(2)) / 30
    expected = slowly(state, features)[:, :, 1]
    torch.testing.assert_close(network.log_scores(features), expected, rtol=1e-4, atol=1e-5)
    some = network.log_scores(features, [3, 0, 3])
    torch.testing.assert_close(some, expected[:, [3, 0, 3]], rtol=1e-4, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_its_loss_and_gradient_are_those_of_two_outputs_a_class():
    """What training minimises is the published loss: a log-likelihood of each head's two."""
    network = MiningMlp(4)
    features = torch.randn(6, 2048) / 30
    there = (torch.rand(6, 4) > 0.5).long()
    state = dict(network.named_parameters())
    both = slowly(state, features)
    expected = -both.gather(2, there[:, :, None]).sum() / 6
    wrong = functional.binary_cross_entropy_with_logits(
        network(features), there.float(), reduction="sum"
    )
    loss = wrong / 6
    torch.testing.assert_close(loss, expected)
    for name, parameter in state.items():
        one, two = (torch.autograd.grad(x, parameter, retain_graph=True) for x in (loss, expected))
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-6, msg=name)


def test_another_checkpoint_is_refused(tmp_path):
    path = tmp_path / "mlp.pth"
    torch.save(published(4), path)
    with pytest.raises(InputError, match=r"lacks 2 entries: out_fc\.4\.weight, out_fc\.4\.bias"):
        load_mining_mlp(path, 5)
    with pytest.raises(InputError, match="beyond this model, 2 entries"):
        load_mining_mlp(path, 3)
    torch.save({**published(4), "fc.weight": torch.zeros(256, 1024)}, path)
    with pytest.raises(InputError, match=r"fc\.weight 256x1024 for 256x2048"):
        load_mining_mlp(path, 4)
    with pytest.raises(InputError, match="the device nowhere cannot be used"):
        load_mining_mlp(path, 4, "nowhere")


def test_half_precision_weights_are_read(tmp_path):
    path = tmp_path / "mlp.pth"
    state = {name: value.half() for name, value in published(3).items()}
    torch.save(state, path)
    assert np.isfinite(load_mining_mlp(path, 3).log_scores(torch.zeros(1, 2048)).numpy()).all()
