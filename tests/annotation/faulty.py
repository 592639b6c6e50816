"""What tests of broken files share."""

from pathlib import Path

import pytest

from gytbench.annotation.reading import read_rows
from gytbench.errors import InputError


def faults(path: Path, columns: dict[str, str] | None = None) -> list[str]:
    """The faults of a file, each as text, its name left out of the places."""
    with pytest.raises(InputError) as caught:
        read_rows(path, columns or {})
    assert all(fault.where.startswith(str(path)) for fault in caught.value.faults)
    return [str(fault).replace(str(path), "FILE") for fault in caught.value.faults]


def faults_of(path: Path, content: str | bytes, columns: dict[str, str] | None = None) -> list[str]:
    """The faults of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return faults(path, columns)
