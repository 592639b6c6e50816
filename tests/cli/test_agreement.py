"""`gytbench agreement`: what it prints and writes, and its exit codes."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """Three annotators on two frames; on the second, one is far off and one saw nothing."""
    path = tmp_path / "points.csv"
    path.write_text(
        "video,second,step,annotator,x,y\n"
        "v,1,crack eggs,ann,100,100\n"
        "v,1,crack eggs,bob,110,100\n"
        "v,1,crack eggs,cleo,120,100\n"
        "v,2,odd step,ann,100,100\n"
        "v,2,odd step,bob,400,100\n"
        "v,2,odd step,cleo,,\n"
    )
    return path


def again(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_released_mean_points(run: Run, released: Path, tmp_path: Path) -> None:
    out, listing = tmp_path / "out.json", tmp_path / "again.csv"
    code, text, err = run(
        "agreement", "--data", released, "--json", out, "--again", listing, "--top", 2
    )
    assert (code, err) == (0, "")
    rows = [line.split() for line in text.split("\n")]
    assert ["round", "1", "5,119", "4,235", "17.3", "14.8", "54.2"] in rows
    assert ["round", "2", "21,868", "17,618", "19.4", "12.0", "46.3"] in rows
    hardest = text.split("round 2: classes with the largest spread")[1]
    assert hardest.index("use_beater") < hardest.index("sift_ingredient")
    rounds = json.loads(out.read_text())["annotations"]
    assert list(rounds) == ["round 1", "round 2"]
    assert rounds["round 2"]["overall"]["inside"] is None
    first = again(listing)[0]
    assert (first["video"], first["second"], first["step"]) == ("fIfoazNdrCY", "162", "swirl_pan")
    assert first["reason"].startswith("round 1: spread 219.1 px")
    assert len(again(listing)) == sum(len(each["repeat"]) for each in rounds.values())


def test_raw_points(run: Run, points: Path, tmp_path: Path) -> None:
    out, listing, plots = tmp_path / "out.json", tmp_path / "again.csv", tmp_path / "plots"
    code, text, err = run("agreement", points, "--json", out, "--again", listing, "--plots", plots)
    assert (code, err) == (0, "")
    assert "points.csv: 1 of 2 frames to annotate again" in text
    assert f"drawn: {plots / 'spread.png'}" in text
    assert sorted(path.name for path in plots.iterdir()) == [
        "points.csv-annotators.png",
        "spread.png",
    ]
    (found,) = json.loads(out.read_text())["annotations"].values()
    # The step is known by its class; one that is not known stands for itself.
    assert [group["name"] for group in found["classes"]] == ["crack_egg", "odd_step"]
    assert found["overall"]["inside"] == 1
    assert [each["name"] for each in found["annotators"]] == ["ann", "bob", "cleo"]
    assert again(listing) == [
        {
            "video": "v",
            "second": "2",
            "step": "odd_step",
            "reason": "1 of 3 annotators saw nothing",
            "spread": "150.0",
        }
    ]


def test_json_alone_on_standard_output(run: Run, points: Path) -> None:
    code, text, _ = run("agreement", points, "--json", "-")
    assert code == 0
    assert list(json.loads(text)["annotations"]) == ["points.csv"]


def test_sizes_and_columns(run: Run, tmp_path: Path) -> None:
    path, sizes = tmp_path / "points.csv", tmp_path / "sizes.json"
    path.write_text("video,second,who,px,py\nv,1,ann,200,200\nv,1,bob,400,200\n")
    sizes.write_text('{"v": [1280, 960]}')
    columns = ("--column", "x=px", "--column", "y=py", "--column", "annotator=who")
    code, text, err = run("agreement", path, "--sizes", sizes, *columns, "--json", "-")
    assert (code, err) == (0, "")
    (found,) = json.loads(text)["annotations"].values()
    assert found["overall"]["median_spread"] == pytest.approx(50)


def test_own_points_of_several_files_are_joined_and_means_stay_apart(
    run: Run, points: Path, tmp_path: Path
) -> None:
    more, means = tmp_path / "more.csv", tmp_path / "means.json"
    more.write_text("video,second,step,annotator,x,y\nv,1,crack eggs,dan,100,100\n")
    row = {"image_url": "https://host/aaaaaaaaaaa_2_stir_it.jpg", "x": 9, "y": 9, "mean_dist": 5}
    means.write_text(json.dumps([row]))
    _, text, _ = run("agreement", points, means, more, "--json", "-")
    found = json.loads(text)["annotations"]
    assert list(found) == ["points.csv and more.csv", "means.json"]
    assert len(found["points.csv and more.csv"]["annotators"]) == 4
    assert found["means.json"]["overall"]["median_spread"] == 5


def test_files_of_one_name_are_told_apart(run: Run, tmp_path: Path) -> None:
    row = {"image_url": "https://host/aaaaaaaaaaa_2_stir_it.jpg", "x": 9, "y": 9, "mean_dist": 5}
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "means.json").write_text(json.dumps([row]))
    paths = [tmp_path / folder / "means.json" for folder in ("a", "b")]
    _, text, _ = run("agreement", *paths, "--json", "-")
    assert list(json.loads(text)["annotations"]) == ["means.json", "means.json (2)"]


def test_what_cannot_be_is_said(run: Run, points: Path, released: Path, tmp_path: Path) -> None:
    missing = run("agreement", tmp_path / "none.csv")
    assert missing.code == 2
    assert "none.csv" in missing.err
    assert "would be overwritten" in run("agreement", points, "--again", points).err
    sized = run("agreement", "--data", released, "--sizes", points)
    assert (sized.code, "give these files too" in sized.err) == (2, True)
    assert run("agreement", points, "--top", 0).code == 2
    assert run("agreement", points, "--plots", points).code == 2
    assert run("agreement", "--data", tmp_path).code == 2
