"""Whose weights a checkpoint holds."""

from pathlib import Path

import pytest
import torch

from gytbench.errors import InputError
from gytbench.models.checkpoints import load_strict
from gytbench.models.recognising import looks_like

from .filling import table

KNOWN = {
    "clip_vitb32": "CLIP",
    "comma_s3d": "CoMMA",
    "global_local_clip_gated": "a global-local head",
    "global_local_clip_linear": "a global-local head",
    "regionclip_rn50_recognition": "RegionCLIP",
    "regionclip_rn50x4_recognition": "RegionCLIP",
    "s3d_milnce": "MIL-NCE's S3D",
    "stcat": "STCAT",
    "tubedetr": "TubeDETR",
}


@pytest.mark.parametrize("name", KNOWN)
def test_every_table_is_recognised(facts: Path, name: str) -> None:
    assert looks_like(key for key, _ in table(facts, name)) == KNOWN[name]


def test_every_table_is_known(facts: Path) -> None:
    tables = {path.stem.removeprefix("state_dict_") for path in facts.glob("state_dict_*.json")}
    assert tables == set(KNOWN)


def test_names_of_nobody() -> None:
    assert looks_like(["layer.weight"]) == ""


def test_a_checkpoint_of_another_system_is_named(facts: Path) -> None:
    module = torch.nn.ModuleDict({"visual": torch.nn.Linear(2, 2)})
    state = {name: torch.zeros(1) for name, _ in table(facts, "stcat")}
    with pytest.raises(InputError, match="looks like a checkpoint of STCAT") as caught:
        load_strict(module, state, "other.pth")
    assert len(caught.value.faults) == 3


def test_a_checkpoint_of_the_same_system_is_not_named(facts: Path) -> None:
    names = [name for name, _ in table(facts, "stcat")]
    module = torch.nn.Module()
    for name in names:
        module.register_buffer(name.replace(".", "_"), torch.zeros(1))
    wanted = {name: torch.zeros(1) for name in names}
    module.state_dict = lambda: wanted
    with pytest.raises(InputError) as caught:
        load_strict(module, {name: torch.zeros(2) for name in names}, "stcat.pth")
    assert "looks like" not in str(caught.value)
