"""The MLP learns what can be learned, the same way each time, and writes all or nothing."""

import re

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.training.frame_labels import LabelledFrames
from gytbench.training.mining_mlp import MlpTraining, train_mlp
from tests.models.features import World

from ..cli.conftest import Run, run  # noqa: F401

CLASSES = ("cut", "stir", "pour", "serve", "background")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four videos to learn from: 1,600 frames of five classes."""
    folder = tmp_path_factory.mktemp("frames")
    (folder / "features").mkdir()
    (folder / "labels").mkdir()
    world = World(CLASSES)
    for number in range(4):
        labels = world.sequence(400)
        np.save(folder / "features" / f"v{number}.npy", world.draw(labels))
        (folder / "labels" / f"v{number}.gt").write_text("\n".join(labels))
    world.write_dictionary(folder / "dict.txt")
    return folder


def trained(folder, pool=10_000, **options):
    frames = LabelledFrames(folder / "features", folder / "labels", CLASSES, pool)
    epochs = []
    return train_mlp(frames, MlpTraining(**options), tell=epochs.append), epochs


def state(network):
    return torch.cat([value.ravel() for value in network.state_dict().values()])


def test_it_learns_classes_that_can_be_told_apart(folder):
    network, epochs = trained(folder, batch_size=64)
    world = World(CLASSES, seed=5)
    labels = world.sequence(500)
    said = network.log_scores(torch.from_numpy(world.draw(labels).T)).argmax(dim=1)
    right = np.mean(np.array(CLASSES)[said.numpy()] == np.array(labels))
    assert right > 0.95
    assert [each.frames for each in epochs] == [1600, 1600]
    assert epochs[1].loss < epochs[0].loss
    assert epochs[1].accuracy > 0.95
    assert epochs[1].loss < epochs[1].blind


def test_the_loss_of_who_sees_nothing_is_that_of_the_shares(folder):
    frames = LabelledFrames(folder / "features", folder / "labels", CLASSES)
    (pool,) = frames.pools(np.random.default_rng(0))
    expected = 0.0
    for share in pool.there.mean(axis=0):
        expected -= share * np.log(share) + (1 - share) * np.log(1 - share)
    _, (epoch,) = trained(folder, epochs=1)
    assert epoch.blind == pytest.approx(expected, rel=1e-5)


def test_a_seed_gives_the_same_weights(folder):
    before = torch.random.get_rng_state()
    first, _ = trained(folder, epochs=1, seed=3)
    torch.manual_seed(0)
    again, _ = trained(folder, epochs=1, seed=3)
    other, _ = trained(folder, epochs=1, seed=4)
    torch.random.set_rng_state(before)
    assert torch.equal(state(first), state(again))
    assert not torch.equal(state(first), state(other))


def test_with_little_memory_it_learns_too(folder):
    _, epochs = trained(folder, pool=300, batch_size=64)
    assert epochs[1].accuracy > 0.95


def test_steps_that_are_too_long_are_told(tmp_path):
    """Features of 1e25 in place of 1 or so."""
    (tmp_path / "features").mkdir()
    (tmp_path / "labels").mkdir()
    np.save(tmp_path / "features" / "a.npy", np.full((2048, 9), 1e25, dtype=np.float32))
    (tmp_path / "labels" / "a.txt").write_text("cut\nstir\npour\n" * 3)
    with pytest.raises(InputError, match=r"--lr: after \d+ frames the loss is no number any more"):
        trained(tmp_path, batch_size=3, epochs=9)


def test_the_command_writes_a_checkpoint_that_is_the_same_each_time(run: Run, folder, tmp_path):  # noqa: F811
    def train(name, *more):
        given = (folder / "features", folder / "labels", "--dictionary", folder / "dict.txt")
        return run("train-mlp", *given, "-o", tmp_path / name, "--batch-size", 64, *more)

    result = train("a.pth")
    assert result.code == 0
    assert result.out.startswith("4 files with labels, 5 classes\nan epoch: loss ")
    assert "of 1,600 frames right" in result.out
    assert f"weights in {tmp_path / 'a.pth'}\n" in result.out
    assert re.search(r"to use them: gytbench run-baseline mining-mlp .*--task temporal", result.out)
    assert result.err == ""
    assert train("b.pth").code == 0
    first, second = (torch.load(tmp_path / name, weights_only=True) for name in ("a.pth", "b.pth"))
    assert list(first) == [
        "fc.weight",
        "fc.bias",
        *(f"out_fc.{n}.{part}" for n in range(5) for part in ("weight", "bias")),
    ]
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_who_has_learned_nothing_is_told(run: Run, folder, tmp_path):  # noqa: F811
    given = (folder / "features", folder / "labels", "--dictionary", folder / "dict.txt")
    result = run("train-mlp", *given, "-o", tmp_path / "a.pth", "--lr", 1000, "--epochs", 1)
    assert result.code == 0
    assert re.fullmatch(
        r"without any features the loss is \d\.\d{4}: it has learned nothing; .*\n", result.err
    )


def test_nothing_is_left_where_it_fails(run: Run, folder, tmp_path):  # noqa: F811
    features = tmp_path / "features"
    features.mkdir()
    np.save(features / "v0.npy", np.full((2048, 400), np.nan))
    given = (folder / "labels", "--dictionary", folder / "dict.txt")
    result = run("train-mlp", features, *given, "-o", tmp_path / "a.pth")
    assert (result.code, result.out) == (2, "1 file with labels, 5 classes\n")
    assert result.err == f"error: {features / 'v0.npy'}: frame 0 has a value that is not finite\n"
    assert [path.name for path in tmp_path.iterdir()] == ["features"]
    for output, told in (
        (tmp_path / "none" / "a.pth", "make its folder first"),
        (folder / "dict.txt", "is read, and would be overwritten"),
    ):
        result = run("train-mlp", folder / "features", *given, "-o", output)
        assert (result.code, told in result.err) == (2, True)
