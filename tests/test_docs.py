"""The documentation does what it says: its commands run, its outputs and numbers are real.

HTML comments right above a code block say what to do with it:
"not run: reason", "exit code N", "file: NAME" (the block is written to that file),
"needs the package of this page" (it is installed beside first), "needs the released files" (it
is run on them alone, so its output stands below), "output" and "output on the released files"
(what the block before it prints).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import click
import pytest

import gytbench
from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.benchmark.releases import manifest
from gytbench.bounds import make_bound
from gytbench.cli.main import main
from gytbench.evaluation import Protocol, Result, score
from gytbench.predictions import TASKS, load_predictions

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "leaderboard" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
PROTOCOL = ROOT / "docs" / "protocol.md"

NOT_RUN = (
    "make ",
    "pip ",
    "git ",
    "gytbench data fetch",
    "gytbench leaderboard check --base ",
    "gytbench leaderboard diff --base ",
    "gytbench annotate ",
    "gytbench run-baseline --all ",
    "gytbench run-baseline clip ",
    "gytbench run-baseline glip ",
    "gytbench run-baseline grounding-dino ",
    "gytbench run-baseline mil-nce+regionclip ",
    "gytbench run-baseline owlv2 ",
    "gytbench run-baseline regionclip ",
    "gytbench run-baseline regionclip-rn50 ",
    "gytbench train global-local-clip",
    "gytbench ablate ",
    "torchrun ",
)
"""What may be marked as not run: it installs, needs the network, a clone or weights, waits for the
browser, or takes hours."""
PACKAGE = "needs the package of this page"
RELEASED = "needs the released files"
OUTPUT, RELEASED_OUTPUT = "output", "output on the released files"

_BLOCK = re.compile(r"((?:^<!--.*-->\n)*)^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_COMMENT = re.compile(r"<!-- (.*?) -->")
_INLINE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced code block, with the comments above it."""

    place: str
    language: str
    text: str
    notes: tuple[str, ...]

    def note(self, prefix: str) -> str | None:
        """What follows the prefix in the comment that has it."""
        found = (note.removeprefix(prefix) for note in self.notes if note.startswith(prefix))
        return next(found, None)


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    text = page.read_text(encoding="utf-8")
    return tuple(
        Block(
            place=f"{page.name}:{text.count(chr(10), 0, match.start(2)) + 1}",
            language=match[2],
            text=match[3],
            notes=tuple(_COMMENT.findall(match[1])),
        )
        for match in _BLOCK.finditer(text)
    )


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def inline_codes(page: Path) -> list[str]:
    return [code.replace("\n", " ") for code in _INLINE.findall(prose(page))]


_SITE = "site"


def install(folder: Path) -> None:
    """Install the package of a folder below it, without a network."""
    options = "--quiet --no-deps --no-index --no-build-isolation --disable-pip-version-check"
    command = [sys.executable, "-m", "pip", "install", *options.split(), "--target", _SITE, "."]
    subprocess.run(command, cwd=folder, check=True)


def environment(home: Path, data: Path) -> dict[str, str]:
    """A shell's environment with this installation, a home of its own, and no network."""
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "HOME": str(home),
        "PYTHONPATH": str(home / _SITE),
        "GYTBENCH_DATA": str(data),
        "PYTHONWARNINGS": "error",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }


DEMO = "gytbench demo\n"
_DEMO = re.compile(r"gytbench demo( > \S+)?\n")


def run(block: Block, folder: Path, data: Path, demo: Path | None = None) -> str:
    """What a block prints on standard output and standard error.

    Where it begins with `gytbench demo`, the folder that this writes may be given: the
    command gives the same each time, which its own tests hold it to.
    """
    begins = _DEMO.match(block.text)
    if demo is not None and begins:
        shutil.copytree(demo, folder / demo.name, dirs_exist_ok=True)
        block = replace(block, text=block.text[begins.end() :])
    shell = ["bash", "-euo", "pipefail", "-c"]
    command = shell if block.language == "bash" else [sys.executable, "-c"]
    done = subprocess.run(
        [*command, block.text],
        cwd=folder,
        env=environment(folder, data),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        encoding="utf-8",
        check=False,
    )
    expected = int(block.note("exit code ") or 0)
    assert done.returncode == expected, f"{block.place}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def with_outputs(page: Path) -> Iterator[tuple[Block, Block | None]]:
    """Every block that is no output, with the block right after it that is its output."""
    for block, following in pairwise((*blocks(page), None)):
        if block is not None and block.language != "text":
            is_output = following is not None and following.language == "text"
            yield block, following if is_output else None


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `gytbench demo` writes."""
    home = tmp_path_factory.mktemp("docs")
    run(Block("demo", "bash", DEMO, ()), home, home)
    return home / "gytbench-demo"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    for block in blocks(page):
        assert block.language in {"bash", "csv", "json", "python", "text", "toml", "yaml"}, (
            block.place
        )
        if block.language == "text":
            assert block.notes in {(OUTPUT,), (RELEASED_OUTPUT,)}, block.place
        if block.language in {"csv", "json", "toml", "yaml"}:
            assert block.note("file: "), block.place
        if block.note("not run: "):
            lines = block.text.splitlines()
            assert all(f"{line} ".startswith(NOT_RUN) for line in lines), block.place
    fences = sum(line.startswith("```") for line in page.read_text(encoding="utf-8").splitlines())
    assert fences == 2 * len(blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run_and_print_what_is_shown(page: Path, demo: Path, tmp_path: Path) -> None:
    # What a clone has: `gytbench submit` puts entries there.
    (tmp_path / "leaderboard").mkdir()
    for block, output in with_outputs(page):
        name = block.note("file: ")
        if name:
            (tmp_path / name).write_text(block.text, encoding="utf-8")
        elif RELEASED in block.notes:
            assert output is not None, block.place
            assert output.notes == (RELEASED_OUTPUT,), block.place
        elif not block.note("not run: "):
            if PACKAGE in block.notes:
                install(tmp_path)
            printed = run(block, tmp_path, demo / "data", demo)
            if output is not None and output.notes == (OUTPUT,):
                assert printed == output.text, output.place


@pytest.mark.parametrize(
    ("block", "output"),
    [
        pytest.param(block, output, id=block.place)
        for page in PAGES
        for block, output in with_outputs(page)
        if output is not None and output.notes == (RELEASED_OUTPUT,)
    ],
)
def test_outputs_on_the_released_files(
    block: Block, output: Block, released: Path, tmp_path: Path
) -> None:
    assert run(block, tmp_path, released.resolve()) == output.text, output.place


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_and_file_names_exist(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), f"{page.name}: {link}"
        assert not anchor or anchor in _anchors(target), f"{page.name}: {link}"
    released_names = {Path(file.path).name for file in manifest()}
    code = "".join(block.text + " ".join(block.notes) for each in PAGES for block in blocks(each))
    for name in inline_codes(page):
        if re.fullmatch(r"(annotations|benchmarks|docs|gytbench|tests)/\S*[^0-9\s]", name):
            assert (ROOT / name).exists(), f"{page.name}: {name}"
        elif re.fullmatch(r"[\w-][\w.-]*\.(json|tsv|tar\.gz)", name):
            assert name in released_names or name in code, f"{page.name}: {name}"


def _subcommands(name: str, command: click.Command) -> Iterator[tuple[str, list[frozenset[str]]]]:
    """The options of a command and of all below it: the spellings of each."""
    options = [param.opts for param in command.params if isinstance(param, click.Option)]
    yield name, [frozenset(spellings) for spellings in options]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for sub in command.list_commands(context):
            below = command.get_command(context, sub)
            assert below is not None
            yield from _subcommands(f"{name} {sub}", below)


COMMANDS = dict(_subcommands("gytbench", main))
GROUPS = {name for name in COMMANDS if any(each.startswith(f"{name} ") for each in COMMANDS)}


def _called(page: Path) -> Iterator[str]:
    """Everything on the page that is a call of the command line."""
    for block in blocks(page):
        if block.language == "bash":
            for line in block.text.splitlines():
                yield line.partition("#")[0].strip()
    yield from inline_codes(page)


def _named(page: Path) -> Iterator[tuple[str, str, str]]:
    """Each option that the page names: the call, its command ("" = none), the option."""
    for call in _called(page):
        words = call.split()
        options = [word for word in words if re.match(r"--?[a-z]", word)]
        if words[0] == "gytbench":
            names = (" ".join(words[:count]) for count in (3, 2, 1))
            name = next(name for name in names if name in COMMANDS)
            yield from ((call, name, option) for option in options or [""])
        elif words[0] in options:
            yield from ((call, "", option) for option in options)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_commands_and_options_exist(page: Path) -> None:
    every = {spelling for options in COMMANDS.values() for each in options for spelling in each}
    for call, name, option in _named(page):
        known = frozenset().union(*COMMANDS[name]) if name else every
        assert option in {"", "--help", *known}, f"{page.name}: {call}"
        assert call in GROUPS or name not in GROUPS or option, f"{page.name}: {call}"


def test_every_command_and_option_is_documented() -> None:
    named = [found for page in PAGES for found in _named(page)]
    for name, options in COMMANDS.items():
        assert any(command.startswith(name) for _, command, _ in named)
        told = {option for _, command, option in named if command in {name, ""}}
        untold = [spellings for spellings in options if not told & spellings]
        assert not untold or untold == [{"--version"}], name


@pytest.mark.parametrize("task", TASKS)
def test_every_field_of_a_signature_is_explained(task: str, demo: Path) -> None:
    rows = {name: tasks.split(", ") for name, tasks, *_ in _table(_section(6), "field")}
    signature = Protocol(task).signature(load_benchmark(data=demo / "data"))  # type: ignore[arg-type]
    written = {part.partition(":")[0] for part in signature.split("|")}
    assert written == {name for name, tasks in rows.items() if {task, "all"} & set(tasks)}


@pytest.mark.parametrize("task", TASKS)
def test_every_key_of_a_result_is_explained(task: str, demo: Path) -> None:
    result = gytbench.evaluate(demo / f"{task}.json", data=demo / "data").as_dict()
    keys = {*result, *result["metrics"], *result["counts"], *result["missing"]}
    for rows in (result["per_class"], result["per_video"]):
        keys |= {key for row in rows.values() for key in row}
    assert keys <= set(inline_codes(PROTOCOL))


def _section(number: int) -> str:
    """A numbered section of the protocol."""
    text = PROTOCOL.read_text(encoding="utf-8")
    found = re.search(rf"^## {number}\. (.*\n)*?(?=^## |\Z)", text, re.MULTILINE)
    assert found
    return found[0]


def _table(text: str, first: str) -> Iterator[list[str]]:
    """The cells of the table whose head begins with `first`, without back quotes."""
    rows = text[text.index(f"| {first} |") :].partition("\n\n")[0].splitlines()
    for row in rows[2:]:
        yield [cell.strip().strip("`") for cell in row.strip("|").split("|")]


@cache
def _ground_truth(folder: Path, boxes: str, classes: str, subset: str) -> Benchmark:
    return load_benchmark(boxes=boxes, classes=classes, subset=subset, data=folder)


@cache
def _bound(folder: Path, name: str, protocol: Protocol) -> Result:
    truth = _ground_truth(folder, protocol.boxes, protocol.classes, protocol.subset)
    return score(make_bound(name, truth, protocol.task), truth, protocol)


def _protocol(task: str, options: str) -> Protocol:
    words = options.replace("`", "").split()
    given = {name[2:]: value for name, value in zip(words[::2], words[1::2], strict=True)}
    rate = {"fps": float(given.pop("fps"))} if "fps" in given else {}
    return Protocol(task, **given, **rate)  # type: ignore[arg-type]


def test_acceptance_numbers(released: Path) -> None:
    rows = list(_table(_section(7), "baseline"))
    assert len(rows) > 30
    for name, task, options, quantity, shown in rows:
        result = _bound(released, name, _protocol(task, options))
        if quantity in result.counts:
            assert f"{result.counts[quantity]:,}" == shown, (name, quantity)
        else:
            assert f"{result.metrics[quantity]:.6f}" == shown, (name, task, options, quantity)


def test_releases_of_boxes(released: Path) -> None:
    counted = ("instances_with_box", "classes_with_box", "seconds_covered", "seconds_ignored")
    for release, file, *shown in _table(_section(1), "`--boxes`"):
        boxes = list(_all_boxes(load_benchmark(boxes=release, data=released)))
        flat = sum(x2 <= x1 or y2 <= y1 for x1, y1, x2, y2 in boxes)
        st = _bound(released, "oracle-instance", Protocol("st", release))
        spatial = _bound(released, "centre", Protocol("spatial", release))
        found = [len(boxes), flat, spatial.counts["units"], *(st.counts[name] for name in counted)]
        assert [f"{number:,}" for number in found] == shown
        assert (released / "groundingyoutube" / file).is_file()


def test_numbers_in_prose(released: Path) -> None:
    truth = _ground_truth(released, "published", "mining512", "all")
    assert sum(box[2] == 480 for box in _all_boxes(truth)) == 5119
    missed = cut = 0
    for tube in make_bound("annotators", truth, "spatial").tubes:
        start, points = int(tube.start), tube.points or []
        width, height = truth.frames[tube.video]
        for second, point in enumerate(points, start):
            box = truth.boxes[tube.video].get(second)
            if box is not None and point is not None:
                x, y = point[0] * width, point[1] * height
                hit = box[0] <= x <= box[2] and box[1] <= y <= box[3] and box[2] > box[0]
                missed += not hit
                cut += not hit and box[2] == 480
    assert (missed, cut) == (659, 654)
    subset = _ground_truth(released, "published", "mining512", "3to20")
    same = {(i.video, i.start, i.end) for i in truth.instances}
    assert sum((i.video, i.start, i.end) not in same for i in subset.instances) == 658


def _all_boxes(truth: Benchmark) -> Iterator[tuple[float, float, float, float]]:
    return (box for by_second in truth.boxes.values() for box in by_second.values())


def test_prediction_files_of_the_format_page_are_read(tmp_path: Path) -> None:
    page = ROOT / "docs" / "format.md"
    shown = next(block for block in blocks(page) if block.note("file: ") == "preds.json")
    path = tmp_path / "preds.json"
    path.write_text(shown.text, encoding="utf-8")
    assert [tube.video for tube in load_predictions(path).tubes] == ["demo-eggs_1"] * 2
