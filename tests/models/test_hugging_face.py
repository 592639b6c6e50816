"""Networks of transformers from files: all of their weights, and nothing else."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GroundingDinoForObjectDetection, Owlv2ForObjectDetection
from transformers.utils import logging

from gytbench.errors import InputError
from gytbench.models.hugging_face import config_of, load_network, read_config, transformers_class
from tests.models.tiny_detectors import make_grounding_dino, make_owlv2

KINDS = {"owlv2": Owlv2ForObjectDetection, "grounding-dino": GroundingDinoForObjectDetection}
STAGES = [f"stage{number}" for number in range(1, 5)]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """By model type a folder, and the network that it holds."""
    folder = tmp_path_factory.mktemp("stored")
    makers = {"owlv2": make_owlv2, "grounding-dino": make_grounding_dino}
    return {name: (folder / name, make(folder / name)) for name, make in makers.items()}


def load(name: str, folder: Path, checkpoint: Path) -> Any:
    kind, path = KINDS[name], folder / "config.json"
    return load_network(kind, config_of(kind, read_config(path, name), path), checkpoint)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_all_weights_come_back(
    stored: dict[str, tuple[Path, Any]], tmp_path: Path, name: str, suffix: str
) -> None:
    folder, network = stored[name]
    checkpoint = tmp_path / f"weights{suffix}"
    state = load_file(folder / "model.safetensors")
    # As older versions stored them; and two names that are computed today.
    state = {key: value.double() for key, value in state.items()}
    state["text.embeddings.position_ids"] = torch.arange(4)[None]
    state["box_bias"] = torch.zeros(16, 4)
    (save_file if suffix == ".safetensors" else torch.save)(state, checkpoint)
    found = load(name, folder, checkpoint)
    assert not found.training
    expected = network.state_dict()
    assert found.state_dict().keys() == expected.keys()
    for key, value in found.state_dict().items():
        assert value.dtype == expected[key].dtype
        torch.testing.assert_close(value, expected[key], rtol=0, atol=0)


def _rename(state: dict[str, torch.Tensor]) -> None:
    state["class_head.extra"] = state.pop("class_head.dense0.bias")


def _reshape(state: dict[str, torch.Tensor]) -> None:
    state["class_head.dense0.bias"] = torch.zeros(17)


def _empty(state: dict[str, torch.Tensor]) -> None:
    for key in list(state)[1:]:
        del state[key]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_rename, ["lacks 1 entry: class_head.dense0.bias", "beyond this model, 1 entry: class_h"]),
        (_reshape, ["config.json says 1 entry: class_head.dense0.bias (17,) for (16,)"]),
        (_empty, ["its config.json describes a network of 8"]),
    ],
)
def test_weights_that_do_not_fit_are_listed(
    stored: dict[str, tuple[Path, Any]],
    tmp_path: Path,
    change: Callable[[dict[str, torch.Tensor]], None],
    told: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder, _ = stored["owlv2"]
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, tmp_path / "other.safetensors")
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with pytest.raises(InputError) as caught:
        load("owlv2", folder, tmp_path / "other.safetensors")
    for part in told:
        assert part in str(caught.value)
    assert str(tmp_path / "other.safetensors") in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_weights_of_another_network_are_refused(stored: dict[str, tuple[Path, Any]]) -> None:
    other = stored["grounding-dino"][0] / "model.safetensors"
    with pytest.raises(InputError, match=r"describes a network of|lacks \d+ entries"):
        load("owlv2", stored["owlv2"][0], other)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no config.json"),
        ("[1]", "is no config.json"),
        ('{"a": "\\ud800"}', "is no config.json|of type None"),
        ("[" * 100_000, "is no config.json"),
        ('{"model_type": "clip"}', "of a model of type 'clip', not 'owlv2'"),
        ("{}", "of a model of type None, not 'owlv2'"),
        (" " * (2 << 20), "is too large"),
    ],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(InputError, match=told) as caught:
        read_config(path, "owlv2")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"text_config": 3},
        {"text_config": {"hidden_size": "wide"}},
        {"text_config": {"hidden_size": -16}},
        {"vision_config": {"patch_size": 0}},
        {"text_config": {"hidden_act": "none such"}},
    ],
)
def test_a_config_that_makes_no_network_is_refused(
    stored: dict[str, tuple[Path, Any]], tmp_path: Path, changed: dict[str, Any]
) -> None:
    folder, _ = stored["owlv2"]
    config = json.loads((folder / "config.json").read_text())
    for part, values in changed.items():
        config[part] = {**config[part], **values} if isinstance(values, dict) else values
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"does not describe a network|makes no network"):
        load("owlv2", tmp_path, folder / "model.safetensors")


def test_configs_of_older_versions_are_read(
    stored: dict[str, tuple[Path, Any]], tmp_path: Path
) -> None:
    of_any = {"torch_dtype": "float32", "transformers_version": "4.40.0", "return_dict": True}
    of_any |= {"_name_or_path": "", "use_timm_backbone": False, "backbone": None, "top_k": 50}
    old = {
        "owlv2": {"": {"text_config_dict": None}, "text_config": {"num_beams": 1}},
        "grounding-dino": {
            "": {"use_pretrained_backbone": False, "backbone_kwargs": None},
            "backbone_config": {"path_norm": True, "stage_names": ["stem", *STAGES]},
            "text_config": {"position_embedding_type": "absolute"},
        },
    }
    for name, parts in old.items():
        folder, _ = stored[name]
        config = json.loads((folder / "config.json").read_text())
        for part, values in parts.items():
            (config[part] if part else config).update(values | of_any)
        (tmp_path / "config.json").write_text(json.dumps(config))
        load(name, tmp_path, folder / "model.safetensors")


def test_what_could_ask_a_hub_is_left_out(tmp_path: Path) -> None:
    inner = {"hidden_size": 4, "_attn_implementation": "org/kernel", "auto_map": {"a": "b"}}
    config = {"model_type": "owlv2", "text_config": inner, "quantization_config": {"bits": 4}}
    (tmp_path / "config.json").write_text(json.dumps({**config, "list": [inner]}))
    assert read_config(tmp_path / "config.json", "owlv2") == {
        "model_type": "owlv2",
        "text_config": {"hidden_size": 4},
        "list": [{"hidden_size": 4}],
    }


def test_a_class_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert transformers_class("Owlv2ForObjectDetection") is Owlv2ForObjectDetection
    with pytest.raises(InputError, match=r"needs transformers with NoSuch: pip install '.*\[open"):
        transformers_class("NoSuch")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match="needs transformers with Owlv2Config"):
        transformers_class("Owlv2Config")
