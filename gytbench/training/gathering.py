"""Processes that train together: what they tell each other.

They are started by torchrun, or by anything that sets the environment it sets. Each has
an equal share of every batch; all that is exchanged is gathered in the order of their
ranks, so that a batch is the same however many processes there are.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, distributed

from gytbench.errors import InputError

_PATIENCE = timedelta(minutes=30)
"""How long one waits for the others, which may have more videos to look at, or to save."""

_T = TypeVar("_T")


class Processes(NamedTuple):
    """Which of the processes that train together this is."""

    rank: int = 0
    number: int = 1
    """Of all processes."""
    on_machine: int = 0
    """Which of the processes of its machine."""

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """This process together with the others that torchrun started; alone without torchrun.

    device: "cuda" has them speak by NCCL, others by gloo. Raises `InputError` where the
    environment that torchrun sets is not whole, or the others cannot be reached. When the
    block ends, also by a fault, the others are left: what they still expect then fails.
    """
    found = _from_environment()
    if found.number == 1:
        yield found
        return
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.set_device(found.on_machine)
    with _told("the processes of this run cannot reach each other"):
        distributed.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
    try:
        yield found
    finally:
        distributed.destroy_process_group()


def _from_environment() -> Processes:
    if "WORLD_SIZE" not in os.environ:
        return Processes()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    missing = [name for name in names if not os.environ.get(name)]
    count = os.environ["WORLD_SIZE"]
    if missing and count != "1":
        raise InputError(
            f"WORLD_SIZE is set, but not {', '.join(missing)}: start several processes by torchrun"
        )
    if missing:
        return Processes()
    try:
        return Processes(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))
    except ValueError:
        raise InputError("RANK, WORLD_SIZE and LOCAL_RANK must be whole numbers") from None


def gathered(values: Tensor) -> Tensor:
    """The rows of all processes, n x ... of each to (processes * n) x ..., with gradients.

    Every process must have the same shape. The gradient of a row is the sum of those that
    it has in all processes: where all compute the same loss, it is as many times that of one
    process as there are, which `average` undoes. Alone, `values` themselves.
    """
    if not _several():
        return values
    rows: Tensor = _Gather.apply(values)  # type: ignore[no-untyped-call]
    return rows


def average(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their means over the processes, which all have the same ones."""
    if _several():
        for group in _by_type(tensors):
            _exchange(group, lambda flat: distributed.all_reduce(flat.div_(_count())))


def take_from_first(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by those of the first process."""
    if _several():
        for group in _by_type(tensors):
            _exchange(group, lambda flat: distributed.broadcast(flat, 0))


def of_all(value: _T) -> list[_T]:
    """A small value of every process, by rank; it travels pickled."""
    if not _several():
        return [value]
    values: list[Any] = [None] * _count()
    with _told():
        distributed.all_gather_object(values, value)
    return values


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.rows = len(values)
        return _rows_of_all(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)
        with _told():
            distributed.all_reduce(total)
        first = distributed.get_rank() * ctx.rows
        return total[first : first + ctx.rows]


def _rows_of_all(values: Tensor) -> Tensor:
    values = values.contiguous()
    parts = [torch.empty_like(values) for _ in range(_count())]
    with _told():
        distributed.all_gather(parts, values)
    return torch.cat(parts)


def _by_type(tensors: Iterable[Tensor]) -> list[Sequence[Tensor]]:
    groups: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        groups.setdefault(tensor.dtype, []).append(tensor)
    return list(groups.values())


def _exchange(tensors: Sequence[Tensor], exchange: Any) -> None:
    """One exchange for all tensors: each by itself would cost a round trip."""
    with torch.no_grad(), _told():
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        exchange(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def _several() -> bool:
    return distributed.is_initialized() and _count() > 1


def _count() -> int:
    return distributed.get_world_size()


@contextmanager
def _told(what: str = "another process of this run has ended; it says why") -> Iterator[None]:
    """Tell, in place of a traceback, that the others cannot be spoken to."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{what} ({str(error).splitlines()[0]})") from None
