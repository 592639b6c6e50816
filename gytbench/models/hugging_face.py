"""Networks of the package transformers, from files in Hugging Face's layout; no hub is asked."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from gytbench.errors import Fault, InputError
from gytbench.models.checkpoints import read_checkpoint
from gytbench.models.devices import check_device

_MAX_CONFIG = 1 << 20
# Buffers that older versions stored, and that are computed today.
_COMPUTED = ("position_ids", "relative_position_index", "box_bias")
# What could ask a hub for code, or load weights in another way than is checked here.
_LEFT_OUT = ("auto_map", "quantization_config", "fusion_config", "attn_implementation")
_LISTED = 10


def transformers_class(name: str) -> Any:
    """A class of transformers; raises `InputError` where the package is missing or too old."""
    try:
        import transformers

        return getattr(transformers, name)
    except (ImportError, AttributeError):
        reason = f"needs transformers with {name}: pip install 'gytbench[open-vocabulary]'"
        raise InputError(reason) from None


def read_config(path: Path, model_type: str) -> dict[str, Any]:
    """The content of a config.json, without what does not describe the network.

    Raises `InputError` where it is none, or of another type of model.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_CONFIG + 1)
        if len(text) > _MAX_CONFIG:
            raise InputError("is too large for a config.json", where=str(path))
        config = msgspec.json.decode(text, type=dict[str, Any])
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"is no config.json: {error}", where=str(path)) from None
    found = config.get("model_type")
    if found != model_type:
        reason = f"is the config of a model of type {found!r}, not {model_type!r}"
        raise InputError(reason, where=str(path))
    described: dict[str, Any] = _described(config)
    return described


def load_network(
    kind: Any, config: Any, checkpoint: Path, device: str = "cpu", half: bool = False
) -> Any:
    """A network of transformers with the weights of a checkpoint, in eval mode.

    kind: its class; config: what describes it, as its config class has it. The names of
    the weights are those of any version of transformers. Raises `InputError` for a
    checkpoint that `read_checkpoint` does not read, and, listed, for weights that are
    missing, too many or of another shape.
    """
    check_device(device)
    state = read_checkpoint(checkpoint)
    _check_size(kind, config, state, checkpoint)
    with _quiet():
        network, found = kind.from_pretrained(
            None,
            config=config,
            state_dict=dict(state),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    _check_loaded(found, str(checkpoint))
    network = network.eval().to(device)
    return network.half() if half else network


def config_of(kind: Any, described: Mapping[str, Any], path: Path) -> Any:
    """The config of a class of networks, of what `read_config` gave; raises `InputError`."""
    try:
        return kind.config_class.from_dict(dict(described))
    except Exception as error:  # its checks raise what they like
        reason = " ".join(str(error).split())
        raise InputError(f"does not describe a network: {reason}", where=str(path)) from None


def _described(value: Any) -> Any:
    """The same without the entries that are left out, at any depth."""
    if isinstance(value, list):
        return [_described(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _described(each)
        for name, each in value.items()
        if not any(left_out in name for left_out in _LEFT_OUT)
    }


def _check_size(kind: Any, config: Any, state: Mapping[str, Tensor], checkpoint: Path) -> None:
    """That a network is not far larger than its weights, before there is memory for it."""
    try:
        with torch.device("meta"):
            network = kind(config)
    except Exception as error:  # of a config that does not fit together, anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"its config.json makes no network: {reason}", str(checkpoint)) from None
    wanted = sum(each.numel() for each in network.parameters())
    held = sum(each.numel() for each in state.values())
    # Some weights are stored once and used twice.
    if wanted > 2 * held:
        reason = f"holds {held:,} numbers, and its config.json describes a network of {wanted:,}"
        raise InputError(reason, where=str(checkpoint))


def _check_loaded(found: Mapping[str, Any], where: str) -> None:
    extra = [name for name in found["unexpected_keys"] if not name.endswith(_COMPUTED)]
    missing = [name for name in found["missing_keys"] if not name.endswith(_COMPUTED)]
    wrong = [
        f"{name} {tuple(has)} for {tuple(needed)}" for name, has, needed in found["mismatched_keys"]
    ]
    faults = [
        *_listing(where, "lacks", missing),
        *_listing(where, "has, beyond this model,", extra),
        *_listing(where, "has in another shape than its config.json says", wrong),
    ]
    if faults:
        raise InputError(faults)


def _listing(where: str, what: str, names: Sequence[str]) -> list[Fault]:
    if not names:
        return []
    listed = ", ".join(sorted(names)[:_LISTED]) + (" ..." if len(names) > _LISTED else "")
    noun = "entry" if len(names) == 1 else "entries"
    return [Fault(where, f"{what} {len(names)} {noun}: {listed}", kind="checkpoint")]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bar and the report of transformers, whose settings are restored."""
    from transformers.utils import logging as settings

    bar, verbosity = settings.is_progress_bar_enabled(), settings.get_verbosity()
    show: Callable[[], None] = settings.enable_progress_bar
    hide: Callable[[], None] = settings.disable_progress_bar
    hide()
    settings.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        settings.set_verbosity(verbosity)
        if bar:
            show()
