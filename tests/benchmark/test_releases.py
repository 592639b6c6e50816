"""Where the data folder is looked for, and what `verify` says of what is in it."""

import hashlib
from pathlib import Path

import pytest

from gytbench.benchmark.releases import (
    ReleasedFile,
    find_data,
    local_name,
    manifest,
    place,
    released_sha256,
    verify,
)
from gytbench.errors import InputError


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Three folders, none of them there yet; the second and third are found without being named."""
    found = {name: tmp_path / name for name in ("given", "variable")}
    found["cache"] = tmp_path / "xdg" / "gytbench" / "data"
    monkeypatch.setenv("GYTBENCH_DATA", str(found["variable"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    return found


def fill(folder: Path) -> None:
    (folder / "groundingyoutube").mkdir(parents=True)


def test_order_of_the_places(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in places.values():
        fill(folder)
    assert find_data(places["given"]) == places["given"]
    assert find_data() == places["variable"]
    monkeypatch.setenv("GYTBENCH_DATA", "")
    assert find_data() == places["cache"]
    monkeypatch.delenv("GYTBENCH_DATA")
    assert find_data() == places["cache"]


def test_a_place_that_is_given_but_empty_is_not_passed_over(places: dict[str, Path]) -> None:
    fill(places["cache"])
    with pytest.raises(InputError, match="variable: holds no groundingyoutube/ folder"):
        find_data()


def test_the_message_names_all_places_and_the_command(places: dict[str, Path]) -> None:
    with pytest.raises(InputError) as caught:
        find_data(places["given"])
    message = str(caught.value)
    assert message.startswith(str(places["given"]))
    for part in (*map(str, places.values()), "--data", "GYTBENCH_DATA", "`gytbench data fetch`"):
        assert part in message


@pytest.mark.parametrize("name", ["file", "x" * 5000, "missing/deeper"])
def test_what_is_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="holds no groundingyoutube"):
        find_data(tmp_path / name)


def test_the_inner_folder_will_do(tmp_path: Path) -> None:
    inner = tmp_path / "grounding_anno"
    inner.mkdir()
    (inner / "seg.json").write_text("{}")
    assert find_data(inner) == inner
    assert place(inner, "groundingyoutube/id2wh.json") == inner / "id2wh.json"
    assert place(inner, "miningyoutube/a/b") == tmp_path / "miningyoutube" / "a" / "b"
    assert (
        place(tmp_path, "groundingyoutube/id2wh.json") == tmp_path / "groundingyoutube/id2wh.json"
    )


def test_verify(tmp_path: Path) -> None:
    def file(name: str, data: bytes) -> ReleasedFile:
        digest = hashlib.sha256(data).hexdigest()
        return ReleasedFile(f"x/{name}", "http://x", len(data), digest, "none", ())

    files = tuple(file(name, b"right") for name in ("ok", "short", "other", "gone", "folder"))
    (tmp_path / "x" / "folder").mkdir(parents=True)
    (tmp_path / "x" / "ok").write_bytes(b"right")
    (tmp_path / "x" / "short").write_bytes(b"righ")
    (tmp_path / "x" / "other").write_bytes(b"wrong")
    states = [each.state for each in verify(tmp_path, files)]
    assert states == ["ok", "wrong size", "wrong checksum", "missing", "missing"]


def test_names_of_local_data() -> None:
    assert local_name(["a", "b"]) != local_name(["ab"]) != local_name(["b", "a"])
    assert local_name(["a"]) == "local@" + hashlib.sha256(b"a").hexdigest()[:8]


def test_manifest() -> None:
    assert len(manifest()) == 28
    assert released_sha256("groundingyoutube/GoundingYouTubeBox.json").startswith("d0c54512")
    datasets = {file.path.split("/")[0] for file in manifest()}
    assert datasets == {"groundingyoutube", "miningyoutube", "youcook-interactions"}
    # The class map is the project's own and travels with the package.
    assert not any(file.path.endswith("classes.tsv") for file in manifest())
