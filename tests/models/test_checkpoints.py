import argparse
import json
import os
import pickle
import struct
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gytbench.errors import InputError
from gytbench.models.checkpoints import load_strict, read_checkpoint

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([1.0, -1.0])}


class Network(torch.nn.Module):
    """A module with a list, a buffer, and a part in half precision."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Linear(2, 3)
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3)])
        self.half_part = torch.nn.Linear(3, 2).half()
        self.register_buffer("input_resolution", torch.tensor(224))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.half_part(x.half())


class Touch:
    """Would create a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def same(read, expected) -> bool:
    return read.keys() == expected.keys() and all(
        read[name].dtype == value.dtype and torch.equal(read[name], value)
        for name, value in expected.items()
    )


def saved(tmp_path: Path, content, **options) -> Path:
    torch.save(content, tmp_path / "weights.pt", **options)
    return tmp_path / "weights.pt"


def archive(tmp_path: Path, how: str) -> tuple[Path, Network]:
    """A TorchScript archive of a network."""
    network = Network().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = (
            torch.jit.script(network)
            if how == "script"
            else torch.jit.trace(network, torch.zeros(2, 2))
        )
        torch.jit.save(made, tmp_path / "archive.pt")
    return tmp_path / "archive.pt", network


def rewritten(path: Path, changes: dict[str, bytes]) -> Path:
    """The archive with some of its parts (by the ends of their names) exchanged."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, changes.get(name.partition("/")[2], data))
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_reads_what_torch_save_wrote(tmp_path, zipped):
    path = saved(tmp_path, STATE, _use_new_zipfile_serialization=zipped)
    assert same(read_checkpoint(path), STATE)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model_ema", "model"])
def test_reads_the_state_dict_of_a_training_run(tmp_path, wrapper):
    run = {
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1, device=torch.device("cpu")),
        "best": np.float64(0.5),
        "curve": np.arange(3),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []},
        wrapper: OrderedDict((f"module.{name}", value) for name, value in STATE.items()),
    }
    assert same(read_checkpoint(saved(tmp_path, run)), STATE)


def test_the_averaged_weights_come_before_the_others(tmp_path):
    other = {name: value + 1 for name, value in STATE.items()}
    path = saved(tmp_path, {"model": other, "model_ema": STATE})
    assert same(read_checkpoint(path), STATE)
    path = saved(tmp_path, {"model": other, "model_ema": None})
    assert same(read_checkpoint(path), other)


def test_a_prefix_that_not_every_name_has_stays(tmp_path):
    state = {"module.a": torch.zeros(1), "b": torch.zeros(1)}
    assert read_checkpoint(saved(tmp_path, state)).keys() == state.keys()


def test_reads_safetensors(tmp_path):
    save_file(STATE, tmp_path / "w.safetensors")
    assert same(read_checkpoint(tmp_path / "w.safetensors"), STATE)


@pytest.mark.parametrize("how", ["script", "trace"])
def test_reads_torchscript_archives_as_data(tmp_path, how, monkeypatch):
    path, network = archive(tmp_path, how)
    monkeypatch.setattr(torch.jit, "load", lambda *_: pytest.fail("the archive was loaded"))
    expected = network.state_dict()
    del expected["input_resolution"]
    read = read_checkpoint(path)
    assert read["half_part.weight"].dtype == torch.float16
    # A trace leaves out what it did not need.
    assert same(read, {name: expected[name] for name in read})
    assert set(expected) - set(read) <= {"blocks.1.num_batches_tracked"}


def test_views_of_a_torchscript_storage_keep_their_values(tmp_path):
    network = Network().eval()
    with torch.no_grad():
        network.stem.weight.set_(torch.arange(8.0)[1:7].reshape(2, 3).t())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(network), tmp_path / "v.pt")
    assert torch.equal(
        read_checkpoint(tmp_path / "v.pt")["stem.weight"],
        torch.tensor([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]),
    )


@pytest.mark.parametrize("how", ["zip", "legacy", "pickle", "old pickle"])
def test_code_in_a_pickle_is_named_and_not_run(tmp_path, how):
    touched, path = tmp_path / "touched", tmp_path / "weights.pt"
    content = {"a": torch.zeros(1), "b": Touch(touched)} if how in ("zip", "legacy") else None
    if content:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    else:
        path.write_bytes(pickle.dumps(Touch(touched), protocol=0 if how == "old pickle" else 4))
    message = refused(path)
    assert "would run code (posix.system)" in message
    assert "was not run" in message
    assert not touched.exists()


def test_code_in_a_torchscript_pickle_is_named_and_not_run(tmp_path):
    touched = tmp_path / "touched"
    path, _ = archive(tmp_path, "script")
    rewritten(path, {"data.pkl": pickle.dumps(Touch(touched), protocol=2)})
    assert "would run code (posix.system)" in refused(path)
    assert not touched.exists()


def test_a_whole_module_is_refused_as_code(tmp_path):
    message = refused(saved(tmp_path, torch.nn.Linear(2, 2)))
    assert "torch.nn.modules.linear.Linear" in message
    assert "state_dict()" in message


def test_files_that_are_no_checkpoints(tmp_path):
    path = tmp_path / "weights.pt"
    assert "no such file" in refused(path)
    path.write_bytes(b"")
    assert "empty" in refused(path)
    path.write_bytes(b"<html>Quota exceeded</html>")
    assert "not a checkpoint" in refused(path)
    path.write_text("common words\nof a text that begins\nlike a pickle's import\n")
    assert "not a checkpoint" in refused(path)
    (tmp_path / "w.safetensors").write_bytes(b"\xff" * 64)
    assert "not a safetensors file" in refused(tmp_path / "w.safetensors")


@pytest.mark.parametrize("zipped", [True, False])
def test_files_cut_short(tmp_path, zipped):
    path = saved(tmp_path, STATE, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[:-20])
    assert ("cut short" if zipped else "damaged") in refused(path)


@pytest.mark.parametrize("content", [{}, [torch.zeros(1)], {"epoch": 1}, {"state_dict": {}}])
def test_files_without_tensors_by_name(tmp_path, content):
    assert "no tensors" in refused(saved(tmp_path, content))


def test_what_would_take_more_memory_than_the_file_is_refused(tmp_path):
    path = saved(tmp_path, {"a": torch.zeros(1).expand(10**9)})
    assert "more values than are stored" in refused(path)
    assert "no plain tensor" in refused(saved(tmp_path, {"a": torch.zeros(2).to_sparse()}))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("w/data.pkl", b"0" * 10**6)
    assert "would grow" in refused(path)


def test_torchscript_sizes_that_do_not_fit_are_refused(tmp_path):
    path, _ = archive(tmp_path, "script")
    with zipfile.ZipFile(path) as parts:
        stored = parts.read("archive/data.pkl")
    short, _ = archive(tmp_path, "script")
    assert "storage 1" in refused(rewritten(short, {"data/1": b"\0\0\0\0"}))
    # The weight's shape (3, 2) in the pickle becomes (3, 200).
    wider = stored.replace(b"(K\x03K\x02t", b"(K\x03K\xc8t", 1)
    assert wider != stored
    whole, _ = archive(tmp_path, "script")
    assert "not a TorchScript archive of weights" in refused(rewritten(whole, {"data.pkl": wider}))


def test_a_safetensors_header_that_claims_too_much_is_refused(tmp_path):
    header = json.dumps({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4]}})
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(4))
    assert "not a safetensors file" in refused(path)


def linear() -> torch.nn.Linear:
    return torch.nn.Linear(3, 2)


def test_load_strict_fills_every_entry_and_casts_to_the_modules_type():
    module = linear()
    load_strict(
        module,
        {"weight": STATE["a.weight"].half(), "bias": STATE["a.bias"].bfloat16()},
        "w.pt",
    )
    assert same(module.state_dict(), {"weight": STATE["a.weight"], "bias": STATE["a.bias"]})


def test_load_strict_gives_memory_to_a_module_without():
    with torch.device("meta"):
        module = linear()
    load_strict(module, {"weight": STATE["a.weight"].double(), "bias": STATE["a.bias"]}, "w.pt")
    assert same(module.state_dict(), {"weight": STATE["a.weight"], "bias": STATE["a.bias"]})


def test_load_strict_lists_what_does_not_fit_and_changes_nothing():
    module = torch.nn.Sequential(*(linear() for _ in range(7)))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = {"0.weight": torch.zeros(2, 3), "1.bias": torch.zeros(4, 1), "odd": torch.zeros(1)}
    with pytest.raises(InputError) as caught:
        load_strict(module, state, "w.pt")
    lacks, extra, shapes = map(str, caught.value.faults)
    assert lacks.startswith("w.pt: lacks 12 entries: 0.bias, 1.weight, ")
    assert lacks.endswith(", and 2 more")
    assert extra.endswith("1 entry: odd")
    assert shapes.endswith("1 entry: 1.bias 4x1 for 2")
    assert same(module.state_dict(), before)


def test_load_strict_lets_optional_names_be_missing_or_extra():
    module = torch.nn.BatchNorm1d(2)
    state = {name: torch.full((2,), 3.0) for name in ("weight", "bias", "running_mean")}
    state |= {"running_var": torch.full((2,), 3.0), "text.position_ids": torch.arange(4)}
    with pytest.raises(InputError, match="num_batches_tracked"):
        load_strict(module, state, "w.pt", optional=["*.position_ids"])
    load_strict(module, state, "w.pt", optional=["num_batches_*", "*.position_ids"])
    assert module.running_mean.tolist() == [3.0, 3.0]
