"""`gytbench train-mlp`: the MLP of MiningYouTube, from features and labels of frames."""

import errno
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gytbench.cli.options import device_option
from gytbench.cli.outputs import keep_inputs
from gytbench.cli.text import counted, one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.training.mining_mlp import Epoch


@click.command("train-mlp")
@click.argument("features", type=click.Path(path_type=Path))
@click.argument("labels", type=click.Path(path_type=Path))
@click.option(
    "--dictionary",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Classes in the order of the network's outputs: weakYouTube_dict.txt.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="OUT",
    help="Checkpoint to write, such as mlp.pth.",
)
@click.option("--epochs", type=click.IntRange(1, 1000), default=2, show_default=True)
@click.option(
    "--lr",
    type=click.FloatRange(0, 1000, min_open=True),
    default=0.1,
    show_default=True,
    help="Learning rate of the gradient descent.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 65536),
    default=512,
    show_default=True,
    help="Frames of a step.",
)
@click.option(
    "--in-memory",
    type=click.IntRange(min=1),
    default=250_000,
    show_default=True,
    metavar="N",
    help="Frames that are in memory at once (8 KiB each), and shuffled among one another.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of the first weights and of the order.",
)
@device_option
def command(
    features: Path,
    labels: Path,
    dictionary: Path,
    output: Path,
    epochs: int,
    lr: float,
    batch_size: int,
    in_memory: int,
    seed: int,
    device: str,
) -> None:
    """Train MiningYouTube's MLP on features of frames and their labels.

    FEATURES is a folder of ID.npy or ID.h5, 2048 x frames. LABELS is a folder of ID.gt or
    ID.txt with one class a line; or mapping_without_meta.txt, where the labels are in the
    HDF5 files. The baseline `mining-mlp` takes what is written.
    """
    try:
        from gytbench.training.frame_labels import LabelledFrames
        from gytbench.training.mining_mlp import MlpTraining, train_mlp
        from gytbench.training.runs import write_tensors
    except ImportError:
        raise InputError("needs torch: pip install 'gytbench[models]'") from None
    from gytbench.models.frame_features import read_dictionary

    _check_output(output, [features, labels, dictionary])
    classes = read_dictionary(dictionary)
    frames = LabelledFrames(features, labels, classes, in_memory)
    options = MlpTraining(epochs, lr, batch_size, seed)
    click.echo(f"{counted(len(frames.files), 'file')} with labels, {len(classes)} classes")
    done: list[Epoch] = []
    network = train_mlp(frames, options, device, lambda epoch: done.append(_told(epoch)))
    write_tensors(output, network.cpu().state_dict())
    click.echo(f"weights in {one_line(str(output))}")
    if done[-1].loss > done[-1].blind:
        told = f"without any features the loss is {done[-1].blind:.4f}: it has learned nothing"
        click.echo(f"{told}; try a tenth of --lr, or more --epochs", err=True)
    click.echo(f"to use them: {one_line(shlex.join(_use(output, dictionary)))}")


def _told(epoch: "Epoch") -> "Epoch":
    """The epoch, once it is printed."""
    right = f"{100 * epoch.accuracy:.2f} % of {epoch.frames:,} frames right"
    click.echo(f"an epoch: loss {epoch.loss:.4f}, {right}")
    return epoch


def _check_output(output: Path, inputs: list[Path]) -> None:
    """Raise `InputError` for a file that cannot come to be: found out before hours of work."""
    keep_inputs([output], inputs)
    if not output.parent.is_dir():
        reason = f"cannot be written: {os.strerror(errno.ENOENT)}; make its folder first"
        raise InputError(reason, where=str(output))


def _use(output: Path, dictionary: Path) -> list[str]:
    """The command line that grounds videos by what was trained."""
    line = ["gytbench", "run-baseline", "mining-mlp", "--checkpoint", str(output)]
    line += ["--file", f"dictionary={dictionary}", "--set", "features=FEATURES"]
    return [*line, "--task", "temporal", "--videos", "DIR", "-o", "preds.json"]
