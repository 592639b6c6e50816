"""What TubeDETR and STCAT have in common, on small networks under their published names."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

import gytbench
from gytbench.cli.main import main
from gytbench.errors import InputError
from gytbench.grounding.adapters import stcat, tube_detr
from gytbench.grounding.contract import Asked, Request, Setup
from gytbench.predictions import load_predictions
from tests.grounding.real import Real, make_annotated, real_video
from tests.models import stcats, tubes
from tests.models.tokens import write_tokenizer


@dataclass(frozen=True)
class Finder:
    """An adapter, and the files of a small network for it."""

    name: str
    adapter: ModuleType
    network: str
    """The module of the network."""
    grounder: Any
    making: ModuleType
    fps: float
    """Few frames, for whole videos."""
    files: dict[str, Path]

    def settings(self, **changed: object) -> Any:
        return self.grounder.Settings(**{"resolution": 64, "window": 4, "hop": 3, **changed})

    def start(self, files: dict[str, Path] | None = None, **options: Any) -> Any:
        half = options.pop("half", False)
        return self.grounder(self.settings(**options), Setup(files or self.files, half=half))


_FINDERS = {
    "tubedetr": (tube_detr, "gytbench.models.tube_detr", "TubeDetrGrounder", tubes, 1.0),
    "stcat": (stcat, "gytbench.models.stcat", "StcatGrounder", stcats, 0.2),
}


@pytest.fixture(scope="module", params=_FINDERS)
def finder(request, tmp_path_factory) -> Iterator[Finder]:
    adapter, network, grounder, making, fps = _FINDERS[request.param]
    folder = tmp_path_factory.mktemp("weights")
    vocabulary, merges = write_tokenizer(folder)
    with pytest.MonkeyPatch.context() as patch:
        making.make_small(patch)
        files = {
            "checkpoint": making.write_small(folder),
            "vocabulary": vocabulary,
            "merges": merges,
        }
        kind = getattr(adapter, grounder)
        yield Finder(request.param, adapter, network, kind, making, fps, files)


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Real:
    return make_annotated(tmp_path_factory.mktemp("real"))


def asked_of(task: str, asked: Asked) -> Request:
    return Request("bikes", real_video(), range(10), task, [asked])


def test_times_alone_have_no_places(finder: Finder) -> None:
    found = finder.start().tubes(asked_of("temporal", Asked("egg", range(10))))
    assert found
    assert all(tube.points is None and tube.boxes is None for tube in found)


def test_half_precision_is_close(finder: Finder) -> None:
    asked = asked_of("spatial", Asked("egg", range(2), 0))
    (found,), (expected,) = finder.start(half=True).tubes(asked), finder.start().tubes(asked)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.02)
    assert found.boxes != expected.boxes


@pytest.mark.parametrize("role", ["checkpoint", "vocabulary", "merges"])
def test_a_missing_file_is_asked_for(finder: Finder, role: str) -> None:
    given = {name: path for name, path in finder.files.items() if name != role}
    with pytest.raises(InputError, match=f"needs the file '{role}'.*--file {role}=PATH"):
        finder.start(given)


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"hop": 5}, "hop: is longer than `window`"), ({"prompt": "x"}, "has no {} for the query")],
)
def test_settings_that_do_not_serve_are_refused(
    finder: Finder, changed: dict[str, object], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        finder.start(**changed)


@pytest.mark.parametrize("setting", [{"resolution": 16}, {"fps": 0}, {"window": 0}, {"hop": 0}])
def test_settings_that_cannot_be_are_refused(finder: Finder, setting: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(setting))):
        msgspec.convert(setting, finder.grounder.Settings)


def test_without_torch_it_says_what_to_install(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module(finder.network)
    monkeypatch.setitem(sys.modules, finder.network, None)
    with pytest.raises(InputError, match=r"needs torch: pip install 'gytbench\[models\]'"):
        finder.start()


def test_importing_the_adapter_does_not_import_torch(finder: Finder) -> None:
    code = (
        f"import sys, {finder.adapter.__name__};"
        "sys.exit(bool({'torch', 'av', 'PIL', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("task", ["spatial", "st"])
def test_from_a_real_video_to_scores(finder: Finder, real: Real, tmp_path: Path, task: str) -> None:
    output = tmp_path / "found.json"
    words = ["run-baseline", finder.name, "--videos", real.videos, "--data", real.data]
    words += ["--task", task, "-o", output, "--set", "resolution=32", "--set", f"fps={finder.fps}"]
    for role, path in finder.files.items():
        words += ["--file", f"{role}={path}"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert (result.exit_code, result.stderr) == (0, "")
    predictions = load_predictions(output)
    assert (predictions.task, predictions.model["name"]) == (task, finder.name)
    metrics = gytbench.evaluate(output, data=real.data).metrics
    assert next(iter(metrics.values())) is not None
    assert all(0 <= value <= 1 for value in metrics.values() if value is not None)
