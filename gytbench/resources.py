"""Where the files that travel with the package lie: in an installed wheel and in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def annotations_folder() -> Path:
    """The folder with the class map and the manifest of the released files.

    An installed wheel carries it inside the package; in a checkout it is the
    top-level ``annotations/``, so that there is one copy to edit.
    """
    return _folder("annotations")


def baselines_folder() -> Path:
    """The folder with the recipes of the baselines, and the programs that some of them run."""
    return _folder("baselines")


def reported_folder() -> Path:
    """The folder with what papers report, one file a paper."""
    return _folder("leaderboard/reported")


def _folder(name: str) -> Path:
    installed = _PACKAGE / "_files" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
