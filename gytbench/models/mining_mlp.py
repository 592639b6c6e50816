"""The multilayer perceptron of MiningYouTube's baseline: features of a frame to its actions.

Source: the network of alexanderrichard/action-sets (Richard et al. 2018, Action Sets), which
MiningYouTube's baseline is said to be.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.devices import check_device
from gytbench.models.frame_features import SIZE

HIDDEN = 256


class MiningMlp(nn.Module):
    """One hidden layer, then for each class whether it is there or not.

    The classes are told apart one by one, so a frame may have several. Entries of the state
    dict: fc.{weight,bias} (HIDDEN x SIZE), out_fc.N.{weight,bias} (2 x HIDDEN), where row 1
    stands for the presence of class N.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(SIZE, HIDDEN)
        self.out_fc = nn.Sequential(*(nn.Linear(HIDDEN, 2) for _ in range(classes)))

    def forward(self, features: Tensor, classes: Sequence[int] | None = None) -> Tensor:
        """Evidence that each class is there, as log odds: frames x classes.

        features: frames x SIZE. classes: those asked for, in their order; None = all.
        """
        heads = list(self.out_fc)
        asked = heads if classes is None else [heads[index] for index in classes]
        # One product with all heads: hundreds of small ones take far longer.
        weight = torch.stack([head.get_parameter("weight") for head in asked])
        bias = torch.stack([head.get_parameter("bias") for head in asked])
        hidden = functional.relu(self.fc(features))
        return functional.linear(hidden, weight[:, 1] - weight[:, 0], bias[:, 1] - bias[:, 0])

    def log_scores(self, features: Tensor, classes: Sequence[int] | None = None) -> Tensor:
        """Log probabilities that each class is there: frames x classes."""
        return functional.logsigmoid(self(features, classes))


def load_mining_mlp(path: Path, classes: int, device: str = "cpu") -> MiningMlp:
    """The network of a checkpoint, ready to be asked.

    Raises `InputError` for a checkpoint of something else or of other classes, and for a
    device that is not there.
    """
    check_device(device)
    network = MiningMlp(classes)
    load_strict(network, read_checkpoint(path), str(path))
    return network.requires_grad_(False).eval().to(device)
