"""Two processes that train together, by gloo, against one with the whole batch."""

import time

import pytest
import torch

from gytbench.errors import InputError
from gytbench.models.global_local import load_global_local_head
from gytbench.training.batches import Plan
from gytbench.training.gathering import Processes, gathered, joined, of_all

from .running import Order, SmallNetwork, all_ended, configured, gradients, run


def variants() -> list[dict]:
    """Configurations that differ in what is gathered."""
    return [
        {"variant": "paper"},
        {"variant": "official", "selection": {"method": "none"}},
        {"loss": {"local": 0}},
        {"loss": {"global": 0}},
    ]


def test_losses_and_gradients_are_those_of_one_process(tmp_path) -> None:
    ended = all_ended([Order(tmp_path, gradients=variants())] * 2, together=True)
    assert [each.code for each in ended] == [0, 0], ended
    both = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    for number, parts in enumerate(variants()):
        alone = gradients(configured(**parts))
        assert alone["total"] > 0
        assert any(name.startswith("head.") for name in alone)
        assert "cells.weight" in alone
        for found in both:
            torch.testing.assert_close(found[number], alone, rtol=1e-9, atol=1e-11)


def test_a_run_of_two_processes_is_that_of_one(tmp_path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    parts = {"optimisation": {"epochs": 2, "lr": 0.001, "warmup_steps": 1}, "save_every": 1}
    run(alone, configured(**parts))
    ended = all_ended([Order(both, parts)] * 2, together=True)
    assert [each.code for each in ended] == [0, 0], ended
    logs = [(out / "log.csv").read_text().splitlines() for out in (alone, both)]
    for one, other in zip(*logs, strict=True):
        values = [cells.split(",")[:6] for cells in (one, other)]
        if one.startswith("step"):
            assert values[0] == values[1]
        else:
            expected, found = (list(map(float, some)) for some in values)
            assert found == pytest.approx(expected, rel=1e-4)
    assert (both / "failed.csv").read_text() == "video,reason\nvideo 2,is cut short\n"
    found = load_global_local_head(both / "head.pth.tar").state_dict()

    # All processes go on from the checkpoint that the first wrote.
    (both / "epoch0002.pth.tar").unlink()
    again = all_ended([Order(both, parts)] * 2, together=True)
    assert [each.code for each in again] == [0, 0], again
    assert [each.out for each in again][1] == ""
    assert again[0].out == "goes on after step 3 of 4 (as of last.pth.tar)\n"
    repeated = load_global_local_head(both / "head.pth.tar").state_dict()
    assert all(torch.equal(repeated[name], found[name]) for name in found)


def test_a_fault_in_one_process_ends_the_others(tmp_path) -> None:
    start = time.monotonic()
    orders = [Order(tmp_path / "run", refuses_after=4)] * 2
    first, second = all_ended(orders, together=True)
    assert first.code == second.code == 1
    assert first.err.splitlines()[-1] == "error: videos: no sample could be read"
    last = second.err.splitlines()[-1]
    assert last.startswith("error: another process of this run has ended; it says why")
    assert time.monotonic() - start < 60


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    config = configured(optimisation={"batch_size": 5})
    with pytest.raises(InputError, match="batch_size is 5, which 2 processes cannot share evenly"):
        Plan(config, 9, Processes(rank=0, number=2))


def test_the_shares_of_processes_are_the_batches_of_one() -> None:
    config = configured(optimisation={"accumulate": 2})
    alone = list(Plan(config, 9, Processes()).batches(1))
    shares = [Plan(config, 9, Processes(rank, 2)).batches(1) for rank in range(2)]
    assert alone == [first + second for first, second in zip(*shares, strict=True)]
    assert [len(batch) for batch in alone] == [4] * 4
    assert {epoch for batch in alone for epoch, _ in batch} == {1, 2}


def test_alone_nothing_is_gathered(monkeypatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    values = torch.ones(2, 3, requires_grad=True)
    with joined("cpu") as processes:
        assert processes == Processes(rank=0, number=1)
        assert gathered(values) is values
        assert of_all("one") == ["one"]


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"WORLD_SIZE": "2"}, "not RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT: start several"),
        (
            {"WORLD_SIZE": "2", "RANK": "x", "LOCAL_RANK": "0", "MASTER_ADDR": "a",
             "MASTER_PORT": "1"},
            "must be whole numbers",
        ),
    ],
)  # fmt: skip
def test_an_environment_that_is_not_whole_is_told(monkeypatch, environment, reason) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=reason), joined("cpu"):
        pass


def test_networks_of_the_same_seed_are_the_same() -> None:
    one, other = SmallNetwork().state_dict(), SmallNetwork().state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
