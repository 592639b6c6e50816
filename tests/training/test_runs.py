"""The folder of a run: which checkpoints stay, and what is gone on from without one."""

from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.training import runs

from .running import SmallClips, configured, run
from .test_loop import loaded, losses, same


def checkpoints(out: Path) -> list[str]:
    return sorted(path.name for path in out.glob("*.pth.tar") if path.name != "head.pth.tar")


@pytest.mark.parametrize(("keep", "kept"), [(0, [1, 2, 3]), (1, [3]), (2, [2, 3]), (9, [1, 2, 3])])
def test_the_newest_epochs_are_kept(tmp_path, keep, kept) -> None:
    run(tmp_path, configured(keep_epochs=keep))
    assert checkpoints(tmp_path) == [f"epoch000{number}.pth.tar" for number in kept]


def stopped(out: Path, after: int, **parts) -> None:
    """A run that cannot read more than so many samples."""
    clips = SmallClips()
    clips.refuses_after = after
    with pytest.raises(InputError, match="no sample could be read"):
        run(out, configured(**parts), clips=clips)


def test_a_run_of_which_one_epoch_is_kept_goes_on_to_the_same_weights(tmp_path) -> None:
    """An epoch has two steps of four samples; checkpoints are after each step."""
    run(tmp_path / "whole", configured())
    out = tmp_path / "stopped"
    parts = {"keep_epochs": 1, "save_every": 1}
    stopped(out, 22, **parts)
    # The fifth step, of the third epoch, is done: it is newer than the second epoch.
    assert checkpoints(out) == ["epoch0002.pth.tar", runs.LAST]
    assert loaded(out / runs.LAST)["step"] == 5
    assert run(out, configured(**parts)).fresh == 1
    assert checkpoints(out) == ["epoch0003.pth.tar", runs.LAST]
    assert losses(out) == losses(tmp_path / "whole")
    assert same(loaded(out / "head.pth.tar"), loaded(tmp_path / "whole" / "head.pth.tar"))


def test_a_run_may_go_on_with_more_or_fewer_epochs_kept(tmp_path) -> None:
    stopped(tmp_path, 17)
    assert checkpoints(tmp_path) == ["epoch0001.pth.tar", "epoch0002.pth.tar"]
    assert run(tmp_path, configured(keep_epochs=1)).fresh == 2
    assert checkpoints(tmp_path) == ["epoch0003.pth.tar"]


def test_an_epoch_is_removed_only_once_the_next_is_written(tmp_path, monkeypatch) -> None:
    class Disk:
        """Takes one checkpoint."""

        room = 1

        def fsync(self, _: int) -> None:
            self.room -= 1
            if self.room < 0:
                raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "os", Disk())
    with pytest.raises(InputError, match=r"epoch0001\.pth\.tar is whole"):
        run(tmp_path, configured(keep_epochs=1))
    assert checkpoints(tmp_path) == ["epoch0001.pth.tar"]
    monkeypatch.undo()
    assert run(tmp_path, configured(keep_epochs=1)).fresh == 4


def test_an_epoch_that_cannot_be_removed_does_not_stop_the_run(tmp_path) -> None:
    stopped(tmp_path, 9)
    (tmp_path / "epoch0000.pth.tar").mkdir()
    run(tmp_path, configured(keep_epochs=1))
    assert checkpoints(tmp_path) == ["epoch0000.pth.tar", "epoch0003.pth.tar"]


@pytest.mark.parametrize(
    ("keep", "every", "left", "step"),
    [(2, 5, runs.LAST, 5), (2, 3, "epoch0002.pth.tar", 4), (1, 3, runs.LAST, 3)],
)
def test_a_damaged_epoch_names_the_checkpoint_that_is_left(
    tmp_path, keep, every, left, step
) -> None:
    config = configured(keep_epochs=keep, save_every=every)
    run(tmp_path, config)
    newest = tmp_path / "epoch0003.pth.tar"
    newest.write_bytes(b"")
    with pytest.raises(InputError) as error:
        run(tmp_path, config)
    assert str(error.value).endswith(f"the same command goes on from {left}")
    newest.unlink()
    told: list[str] = []
    run(tmp_path, config, tell=told.append)
    assert told == [f"goes on after step {step} of 6 (as of {left})"]
