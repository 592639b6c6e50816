"""From a configuration to a run: its data, its network and its processes."""

from pathlib import Path
from typing import NamedTuple

from gytbench.models.devices import check_device
from gytbench.training.clips import ClipReader, Clips
from gytbench.training.config import TrainingConfig
from gytbench.training.features import FeatureReader, Kept, keep_features
from gytbench.training.gathering import Processes, joined, of_all
from gytbench.training.loop import Outcome, Run, Tell
from gytbench.training.narrations import Narrated, read_narrations
from gytbench.training.networks import ClipNetwork, Network, make_network
from gytbench.training.pixels import PixelReader
from gytbench.training.progress import check_tensorboard
from gytbench.training.runs import RunFolder


def train(
    config: TrainingConfig,
    base: Path,
    out: Path,
    *,
    device: str = "cpu",
    kept: Path | None = None,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Train what a configuration describes, or go on from the newest checkpoint in `out`.

    base: the folder that the configuration's paths start from. kept: where frames or features
    are kept if they are [default: `out`/kept]. tell: is told, a line at
    a time, which data is left out and where the run goes on.

    Several processes that torchrun started train together; the first alone writes. A run that
    was stopped and goes on comes to the same weights, on a CPU to the bit, as one that was
    not. Raises `InputError` for what does not serve, for a loss that is not finite, which names
    the batch, and for a full disk; the checkpoints before it are still there.
    """
    if config.tensorboard:
        check_tensorboard()
    check_device(device)
    with joined(device) as processes:
        if device == "cuda":
            device = f"cuda:{processes.on_machine}"
        job = _Job(config, base, out, device, kept or out / "kept")
        return job.done(processes, tell if processes.first else _silent)


class _Job(NamedTuple):
    """What to train, and where."""

    config: TrainingConfig
    base: Path
    out: Path
    device: str
    kept: Path

    def done(self, processes: Processes, tell: Tell) -> Outcome:
        """One process's part."""
        config, device = self.config, self.device
        network = make_network(config, self.base, device)
        narrated = read_narrations(config.data, self.base, network.knows)
        for line in narrated.left_out_lines():
            tell(f"left out: {line}")
        folder = RunFolder(self.out)
        reader, failures = self._reader(network, narrated, processes)
        clips = Clips(reader, config.seed)
        run = Run(config, network, clips, folder, device=device, processes=processes)
        return run.go(tell, failures)

    def _reader(
        self, network: Network, narrated: Narrated, processes: Processes
    ) -> tuple[ClipReader, tuple[str, ...]]:
        """What reads samples, and what it cannot read."""
        data = self.config.data
        if data.keep == "nothing":
            return ClipReader(narrated, data, network.size), ()
        if data.keep == "frames":
            return PixelReader(narrated, data, network.size, self.kept), ()
        # The configuration was checked: only CLIP's features are kept.
        assert isinstance(network, ClipNetwork)
        batch = self.config.optimisation.batch_size
        kept = _kept(network, narrated, self.kept, batch, processes)
        return FeatureReader(narrated, data, network.size, kept), kept.failures


def _kept(
    network: ClipNetwork, narrated: Narrated, folder: Path, batch: int, processes: Processes
) -> Kept:
    """The features of all videos, each looked at by one of the processes."""
    videos = narrated.videos[processes.rank :: processes.number]
    own = keep_features(network, {video: narrated.file(video) for video in videos}, folder, batch)
    parts = of_all((dict(own.files), own.failures))
    files = {video: path for files, _ in parts for video, path in files.items()}
    failures = tuple(failure for _, failures in parts for failure in failures)
    return Kept(files, own.black, failures)


def _silent(_: str) -> None:
    """Of several processes the first tells."""
