"""What an adapter needs to be made, and how it says so where that is missing."""

from collections.abc import Mapping
from pathlib import Path

from gytbench.errors import InputError
from gytbench.grounding.contract import Setup

NEEDS_TORCH = "needs torch: pip install 'gytbench[models]'"


def needed_file(setup: Setup, roles: Mapping[str, str], role: str) -> Path:
    """The file of a role; raises `InputError` that names the role where it is not given."""
    if role not in setup.files:
        raise InputError(f"needs the file {role!r}: {roles[role]}; give it with --file {role}=PATH")
    return setup.files[role]
