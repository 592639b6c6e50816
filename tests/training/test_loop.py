"""A run to its end, a run that is stopped and goes on, and what may go wrong with it."""

import csv
import math
import sys
from pathlib import Path

import pytest
import torch

from gytbench.errors import InputError
from gytbench.models.global_local import load_global_local_head
from gytbench.training import progress, runs
from gytbench.training.optimisation import share_of_rate

from .running import Order, SmallClips, SmallNetwork, all_ended, configured, run

STEPS = 6
"""Of a run: three epochs of two."""


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "log.csv").open() as file:
        return list(csv.DictReader(file))


def losses(out: Path) -> list[dict[str, str]]:
    """The log without what the clock says."""
    timed = ("samples_per_second", "waiting")
    return [{name: row[name] for name in row if name not in timed} for row in rows(out)]


def loaded(path: Path) -> dict:
    return torch.load(path, weights_only=True)


def same(one: object, other: object) -> bool:
    """Whether all tensors are equal to the bit, and all else is equal."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_a_run_learns_and_leaves_weights_that_the_adapter_reads(tmp_path) -> None:
    options = {"epochs": 20, "warmup_steps": 4, "lr": 0.001}
    outcome = run(tmp_path, configured(optimisation=options))
    log = rows(tmp_path)
    assert [row["step"] for row in log] == [str(number + 1) for number in range(40)]
    assert [row["epoch"] for row in log[:5]] == ["1", "1", "2", "2", "3"]
    # What scores that are all equal would have, for four pairs.
    chance = 2 * math.log(4)
    assert sum(float(row["local"]) for row in log[-4:]) / 4 < 0.7 * chance
    assert float(log[0]["local"]) > 0.9 * chance
    for row in log:
        assert float(row["loss"]) == pytest.approx(float(row["local"]) + float(row["global"]))
        assert 0 <= float(row["waiting"]) <= 1
        assert float(row["samples_per_second"]) > 0
    assert outcome.steps == outcome.fresh == 40
    assert outcome.files == (tmp_path / "head.pth.tar",)
    final = load_global_local_head(tmp_path / "head.pth.tar").state_dict()
    assert same(final, load_global_local_head(tmp_path / "epoch0020.pth.tar").state_dict())


def test_the_rate_rises_from_zero_and_falls_to_zero() -> None:
    shares = [share_of_rate(step, 4, 12) for step in range(13)]
    assert shares[:5] == [0, 0.25, 0.5, 0.75, 1]
    assert shares[8] == pytest.approx(0.5)
    assert shares[12] == pytest.approx(0)
    assert shares[4:] == sorted(shares[4:], reverse=True)


def test_the_log_has_the_rate_of_each_step(tmp_path) -> None:
    run(tmp_path, configured())
    expected = [0.01 * share_of_rate(step, 2, STEPS) for step in range(STEPS)]
    assert [float(row["lr"]) for row in rows(tmp_path)] == pytest.approx(expected)


def test_what_is_frozen_stays(tmp_path) -> None:
    network = SmallNetwork()
    run(tmp_path, configured(), network=network)
    fresh = SmallNetwork()
    assert same(network.frozen.state_dict(), fresh.frozen.state_dict())
    assert not same(network.cells.state_dict(), fresh.cells.state_dict())
    assert "frozen.weight" not in loaded(tmp_path / "epoch0001.pth.tar")["backbone"]


@pytest.mark.parametrize(("absent", "other"), [("local", "global"), ("global", "local")])
def test_a_loss_of_weight_zero_is_not_computed(tmp_path, absent, other) -> None:
    network = SmallNetwork()
    run(tmp_path, configured(loss={absent: 0}), network=network)
    assert all(row[absent] == "" and row[other] == row["loss"] for row in rows(tmp_path))
    fresh = SmallNetwork().head.state_dict()
    trained = {name for name, value in network.head.state_dict().items() if
               not torch.equal(value, fresh[name])}  # fmt: skip
    assert trained
    assert all(("_g." in name) == (absent == "local") for name in trained)


def test_batches_that_are_added_up_make_one_step(tmp_path) -> None:
    options = {"batch_size": 2, "accumulate": 2}
    run(tmp_path, configured(optimisation=options))
    log = rows(tmp_path)
    assert len(log) == STEPS
    alone = tmp_path / "alone"
    network = SmallNetwork()
    run(alone, configured(optimisation={"batch_size": 2}), network=network)
    # The first step of a warm-up changes nothing: its batches' losses are those of two steps.
    first, second = (float(row["loss"]) for row in rows(alone)[:2])
    assert float(log[0]["loss"]) == pytest.approx((first + second) / 2, rel=1e-6)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_comes_close(tmp_path, precision) -> None:
    run(tmp_path / "whole", configured())
    run(tmp_path / "half", configured(optimisation={"precision": precision}))
    whole, half = (float(rows(tmp_path / name)[0]["loss"]) for name in ("whole", "half"))
    assert half == pytest.approx(whole, rel=0.02)
    assert half != whole
    assert load_global_local_head(tmp_path / "half" / "head.pth.tar")


def test_processes_that_decode_change_nothing(tmp_path) -> None:
    run(tmp_path / "none", configured())
    run(tmp_path / "two", configured(workers=2))
    assert losses(tmp_path / "none") == losses(tmp_path / "two")


def test_what_cannot_be_read_is_listed_once(tmp_path) -> None:
    outcome = run(tmp_path, configured(optimisation={"epochs": 6}))
    assert (tmp_path / "failed.csv").read_text() == "video,reason\nvideo 2,is cut short\n"
    assert outcome.failed == 1
    assert run(tmp_path, configured(optimisation={"epochs": 6})).failed == 1


def test_a_run_that_is_done_is_not_done_again(tmp_path) -> None:
    asked = tmp_path / "asked"
    run(tmp_path / "run", configured())
    before = losses(tmp_path / "run")
    outcome = run(tmp_path / "run", configured(), clips=SmallClips(asked=asked))
    assert (outcome.steps, outcome.fresh) == (STEPS, 0)
    assert not asked.exists()
    assert losses(tmp_path / "run") == before


def test_a_killed_run_that_goes_on_equals_one_that_was_not(tmp_path) -> None:
    """Killed by signal 9: in the second step of the second epoch, and in writing the fourth
    checkpoint, with batches added up, and one checkpoint within each epoch."""
    parts = {
        "save_every": 3,
        "optimisation": {"batch_size": 2, "accumulate": 1, "precision": "bfloat16"},
    }
    whole, reading, saving = (tmp_path / name for name in ("whole", "reading", "saving"))
    # An epoch has four steps, of two samples each; checkpoints are after 3, 4, 6, 8, 9 and 12.
    orders = [
        Order(whole, parts),
        Order(reading, parts, dies_after=14),
        Order(saving, parts, dies_saving=6),
    ]
    ended = all_ended(orders)
    assert [each.code for each in ended] == [0, -9, -9], ended
    before = (tmp_path / "reading.asked").read_text()
    again = all_ended([Order(out, parts) for out in (reading, saving)])
    assert again[0].out == "goes on after step 6 of 12 (as of last.pth.tar)\n", again
    assert again[1].out == "goes on after step 9 of 12 (as of last.pth.tar)\n", again

    asked = (tmp_path / "whole.asked").read_text()
    after = (tmp_path / "reading.asked").read_text().removeprefix(before)
    assert after == "".join(asked.splitlines(keepends=True)[12:])
    for out in (reading, saving):
        assert losses(out) == losses(whole)
        for number in range(1, 4):
            name = f"epoch{number:04d}.pth.tar"
            assert same(loaded(out / name), loaded(whole / name))
        assert same(loaded(out / "head.pth.tar"), loaded(whole / "head.pth.tar"))


def test_a_changed_configuration_is_refused_and_says_what_changed(tmp_path) -> None:
    run(tmp_path, configured())
    with pytest.raises(InputError) as error:
        run(tmp_path, configured(optimisation={"lr": 0.5}, variant="official"))
    assert "optimisation.lr 0.01, now 0.5; variant paper, now official" in str(error.value)
    assert "epoch0003.pth.tar: this run was begun" in str(error.value)
    assert run(tmp_path, configured(title="New", save_every=1, workers=1)).fresh == 0


def test_other_data_is_refused(tmp_path) -> None:
    run(tmp_path, configured())
    with pytest.raises(InputError, match="was begun with 9 videos, and now there are 8"):
        run(tmp_path, configured(), clips=SmallClips(8))


def test_another_network_is_refused(tmp_path) -> None:
    run(tmp_path, configured())
    network = SmallNetwork()
    network.cells = torch.nn.Linear(3, 7)
    with pytest.raises(InputError, match=r"epoch0003.pth.tar: does not fit this network"):
        run(tmp_path, configured(), network=network)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", "cut"])
def test_a_damaged_checkpoint_names_the_one_before_it(tmp_path, content) -> None:
    run(tmp_path, configured())
    newest = tmp_path / "epoch0003.pth.tar"
    newest.write_bytes(newest.read_bytes()[:5000] if content == "cut" else content)
    with pytest.raises(InputError) as error:
        run(tmp_path, configured())
    assert str(error.value).startswith(f"{newest}: damaged")
    assert str(error.value).endswith("the same command goes on from epoch0002.pth.tar")
    newest.unlink()
    assert run(tmp_path, configured()).fresh == 2


def test_a_checkpoint_of_something_else_is_no_checkpoint(tmp_path) -> None:
    torch.save({"epoch": 1, "state_dict": {}}, tmp_path / "last.pth.tar")
    with pytest.raises(InputError, match="remove it, and the same command starts anew"):
        run(tmp_path, configured())


class Spoilt(SmallNetwork):
    """Gives something else from a step on."""

    def __init__(self, step: int, spoil) -> None:
        super().__init__()
        self.step, self.spoil, self.looks = step, spoil, 0

    def look(self, batch):
        self.looks += 1
        looked = super().look(batch)
        if self.looks < self.step:
            return looked
        return looked._replace(frames=self.spoil(looked.frames))


@pytest.mark.parametrize("spoil", [lambda x: x * torch.nan, lambda x: x * 1e38])
def test_a_loss_that_is_not_finite_stops_and_names_the_batch(tmp_path, spoil) -> None:
    asked = tmp_path / "asked"
    out = tmp_path / "run"
    with pytest.raises(InputError) as error:
        run(out, configured(), network=Spoilt(4, spoil), clips=SmallClips(asked=asked))
    reason = str(error.value)
    assert "the loss is nan in step 4, on: " in reason or "the loss is inf in step 4" in reason
    for place in asked.read_text().splitlines()[12:16]:
        epoch, index = place.split()
        assert f"{index}.mp4, {epoch}.0 to 9.0 s" in reason
    assert reason.count(".mp4") == 4
    assert "epoch0001.pth.tar is from before" in reason
    assert sorted(path.name for path in out.iterdir()) == ["epoch0001.pth.tar", "failed.csv",
                                                           "log.csv"]  # fmt: skip
    assert len(rows(out)) == 3
    assert run(out, configured()).fresh == 4


def test_a_gradient_that_is_not_finite_leaves_the_weights_alone(tmp_path) -> None:
    class Root(torch.autograd.Function):
        """Something whose value is finite and whose gradient is not."""

        @staticmethod
        def forward(_, x):
            return x.clone()

        @staticmethod
        def backward(_, gradient):
            return gradient * torch.inf

    with pytest.raises(InputError, match=r"a gradient is not finite in step 4, on: \d\.mp4"):
        run(tmp_path, configured(), network=Spoilt(4, Root.apply))
    assert run(tmp_path, configured()).fresh == 4


def test_a_full_disk_leaves_the_checkpoint_before_it(tmp_path, monkeypatch) -> None:
    written = []

    class Disk:
        """Takes one checkpoint."""

        @staticmethod
        def fsync(_: int) -> None:
            written.append(1)
            if len(written) > 1:
                raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "os", Disk)
    with pytest.raises(InputError) as error:
        run(tmp_path, configured())
    assert "epoch0002.pth.tar: cannot be written: No space left on device" in str(error.value)
    assert "epoch0001.pth.tar is whole; make room, and the same command" in str(error.value)
    monkeypatch.undo()
    assert not list(tmp_path.glob(".*part"))
    assert run(tmp_path, configured()).fresh == 4


def test_what_no_process_can_read_is_told_without_a_traceback(tmp_path) -> None:
    for workers in (0, 1):
        clips = SmallClips()
        clips.refuses_after = 6
        with pytest.raises(InputError) as error:
            run(tmp_path / str(workers), configured(workers=workers), clips=clips)
        assert str(error.value) == "videos: no sample could be read"


def test_a_process_that_decodes_and_is_killed_is_told_of(tmp_path) -> None:
    clips = SmallClips()
    clips.dies_after = 3
    with pytest.raises(InputError, match=r"a process that decodes was killed.*set fewer workers"):
        run(tmp_path, configured(workers=1), clips=clips)


@pytest.mark.parametrize(
    ("options", "count", "reason"),
    [
        ({}, 3, "a step takes 4 videos.*but there are 3: set a smaller batch_size"),
        ({"accumulate": 3}, 9, "a step takes 12 videos"),
        ({"warmup_steps": 6}, 9, "warmup_steps is 6, but the run has 6 steps"),
    ],
)
def test_plans_that_cannot_be_are_refused(tmp_path, options, count, reason) -> None:
    with pytest.raises(InputError, match=reason):
        run(tmp_path, configured(optimisation=options), clips=SmallClips(count))


def test_the_log_follows_the_checkpoint_and_not_what_came_after(tmp_path) -> None:
    run(tmp_path, configured())
    before = losses(tmp_path)
    (tmp_path / "epoch0003.pth.tar").unlink()
    with (tmp_path / "log.csv").open("a") as file:
        file.write("7,4,0.1")
    run(tmp_path, configured())
    assert losses(tmp_path) == before


def test_a_log_of_something_else_is_left_alone(tmp_path) -> None:
    (tmp_path / "log.csv").write_text("mine\n")
    with pytest.raises(InputError, match="is no log of a training run: move it away"):
        run(tmp_path, configured())
    assert (tmp_path / "log.csv").read_text() == "mine\n"


def test_tensorboard_has_what_the_log_has(tmp_path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = configured(tensorboard=True)
    run(tmp_path, config)
    (tmp_path / "epoch0003.pth.tar").unlink()
    run(tmp_path, config)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    told = {event.step: event.value for event in events.Scalars("loss")}
    assert told == pytest.approx({int(row["step"]): float(row["loss"]) for row in rows(tmp_path)})
    assert len(events.Scalars("global")) == STEPS


def test_tensorboard_that_is_missing_is_told_before_anything_is_done(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match=r"pip install 'gytbench\[training\]'"):
        progress.check_tensorboard()
    with pytest.raises(InputError, match="tensorboard: false"):
        run(tmp_path, configured(tensorboard=True))
    assert not (tmp_path / "log.csv").exists()
