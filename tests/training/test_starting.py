"""From a configuration to a run: what is trained on depends on the network."""

from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np
import pytest
import torch

from gytbench.models.s3d import S3D
from gytbench.training import starting
from gytbench.training.config import TrainingConfig
from gytbench.training.loop import Outcome
from tests.models.clips import small_vit, written
from tests.models.filling import filled, shapes

from .narrating import narrated

SAID = {
    "one": [(0.0, 3.0, "crack the egg"), (4.0, 9.0, "hello friends"), (9.0, 12.0, "an egg")],
    "two": [(1.0, 2.0, "so good")],
}


class Told:
    """A run that does nothing, and keeps the texts that it would have been trained on."""

    texts: ClassVar[list[list[str]]] = []

    def __init__(self, _config, _network, clips, _folder, **_) -> None:
        known = clips.reader.narrated
        said = (known.narrations(index) for index in range(len(known.videos)))
        Told.texts = [[each.text for each in video] for video in said]

    def go(self, _tell, _failures) -> Outcome:
        return Outcome(0, 0, (), 0)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    narrated(tmp_path, SAID)
    np.save(tmp_path / "dict.npy", np.array(["egg", "crack"]))
    torch.save(filled(shapes(S3D(3))), tmp_path / "s3d.pth")
    written(small_vit(), tmp_path / "clip.pt")
    return tmp_path


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            {"backbone": "s3d", "weights": "s3d.pth", "dictionary": "dict.npy"},
            [["crack the egg", "an egg"]],
        ),
        ({"weights": "clip.pt"}, [[row[2] for row in rows] for rows in SAID.values()]),
    ],
    ids=["s3d", "clip"],
)
def test_narrations_without_a_word_that_the_network_knows_are_left_out(
    world, monkeypatch, model, expected
) -> None:
    monkeypatch.setattr(starting, "Run", Told)
    data = {"videos": "videos", "captions": "captions.csv"}
    config = msgspec.convert({"data": data, "model": model, "tensorboard": False}, TrainingConfig)
    lines: list[str] = []
    starting.train(config, world, world / "out", tell=lines.append)
    assert Told.texts == expected
    unknown = "left out: 2 narrations without a known word, such as "
    assert any(line.startswith(unknown) for line in lines) == (len(expected) == 1)
