"""Third-party packages, as pip would install them."""

from collections.abc import Mapping
from pathlib import Path

from gytbench.grounding.registry import GROUP


def install(folder: Path, module: str, code: str, entries: Mapping[str, str]) -> Path:
    """Write a package of one module, and what it registers, below a folder for `sys.path`.

    entries: systems by name, as "module:Class". Returns the folder; modules of one name
    are imported once in a process, so give each its own.
    """
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", *(f"{name} = {value}" for name, value in entries.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
