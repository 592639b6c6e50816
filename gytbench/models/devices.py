"""Where networks run."""

import torch

from gytbench.errors import InputError


def check_device(device: str) -> None:
    """Raise `InputError` for a device, as torch names it, that is not there."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0] or "not available"
        raise InputError(f"the device {device} cannot be used: {reason}") from None
