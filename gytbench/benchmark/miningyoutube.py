"""MiningYouTube's temporal annotation: one SRT file a video, times in milliseconds.

Source: github.com/hildekuehne/Mining_YouTube_dataset, the test annotations. The
archive is read in memory and never unpacked, so the names in it can do no harm.
"""

import hashlib
import re
from collections.abc import Container, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gytbench.benchmark.checks import unknown_step
from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.data_files import class_map, origin, read_class_file
from gytbench.benchmark.datasets import Choice
from gytbench.benchmark.decoding import FETCH_HINT, read_bytes
from gytbench.benchmark.model import Benchmark, Cues, Instance
from gytbench.benchmark.releases import local_name, place, released_sha256
from gytbench.errors import InputError

ARCHIVE = "miningyoutube/test_annotations.tar.gz"
FOLDER = "miningyoutube/annotations"

# The released archive holds 250 files and unpacks to half a megabyte.
MAX_MEMBERS = 10_000
MAX_BYTES = 20_000_000


class Transcript(NamedTuple):
    """One SRT file, named for its video."""

    video: str
    where: str
    """The file, and the archive it is in, for messages."""
    data: bytes


class Cue(NamedTuple):
    """One subtitle: half-open [start, end) in seconds, and its text."""

    line: int
    """The line of its text in the file, from 1."""
    start: float
    end: float
    text: str


_NUMBER = re.compile(r"\d{1,7}")
_TIMES = re.compile(
    r"(\d{1,3}):([0-5]\d):([0-5]\d)[,.](\d{3}) --> (\d{1,3}):([0-5]\d):([0-5]\d)[,.](\d{3})"
)


def read(folder: Path, choice: Choice) -> Benchmark:
    """MiningYouTube by itself: videos and cues, without places; raises as `read_cues`."""
    class_file = read_class_file(folder)
    classes = class_map(class_file, choice.classes)
    videos = {transcript.video for transcript in _transcripts(folder)[1]}
    cues = read_cues(folder, classes, videos)
    if origin("groundingyoutube", class_file) != "groundingyoutube":
        cues = cues._replace(data=local_name([cues.data, class_file.sha256]))
    return Benchmark(
        classes=classes,
        frames=dict.fromkeys(videos, (1.0, 1.0)),
        instances=(),
        boxes={},
        dataset="miningyoutube",
        data=cues.data,
        release="",
        folder=folder,
        read_cues=lambda: cues,
    )


def read_cues(folder: Path, classes: ClassMap, videos: Container[str]) -> Cues:
    """The cues of every video in a data folder, those that cover no time left out.

    Reads the released archive, or a folder of .srt files in its stead. `id` is
    the position of a cue in its file, from 0. Raises `InputError` that names file
    and line for what is no SRT, for an unknown step, and for an unknown video.
    """
    data, transcripts = _transcripts(folder)
    instances: list[Instance] = []
    seen: set[str] = set()
    for transcript in transcripts:
        if transcript.video not in videos:
            raise InputError("its video is not in id2wh_new.json", where=transcript.where)
        if transcript.video in seen:
            raise InputError("a second file of this video", where=transcript.where)
        seen.add(transcript.video)
        instances += _instances(transcript, classes)
    return Cues(data, tuple(instances))


def _instances(transcript: Transcript, classes: ClassMap) -> Iterator[Instance]:
    for number, cue in enumerate(parse_srt(transcript.data, transcript.where)):
        step = normalise_label(cue.text)
        index = classes.lookup.get(step)
        if index is None:
            where = f"{transcript.where}: line {cue.line}"
            raise InputError([unknown_step(cue.text, classes, where)])
        if cue.start < cue.end:
            label = classes.names[index]
            yield Instance(transcript.video, number, cue.start, cue.end, step, label)


def parse_srt(data: bytes, where: str) -> Iterator[Cue]:
    """The cues of an SRT file in its order: number, times, one line of text, an empty line.

    Reads UTF-8 with or without a byte order mark and either line ending. Raises
    `InputError` that names the line of what does not fit.
    """
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: byte {error.start}", where=where) from None
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line]
    for position in range(0, len(numbered), 3):
        (first, number), *rest = numbered[position : position + 3]
        if len(rest) < 2:
            raise InputError("ends in the middle of a cue", where=f"{where}: line {first}")
        (second, times), (third, text) = rest
        match = _TIMES.fullmatch(times)
        if not _NUMBER.fullmatch(number):
            raise InputError(f"not a cue number: {number!r}", where=f"{where}: line {first}")
        if match is None:
            raise InputError(
                f"not HH:MM:SS,mmm --> HH:MM:SS,mmm: {times!r}", where=f"{where}: line {second}"
            )
        parts = [int(part) for part in match.groups()]
        yield Cue(third, _seconds(parts[:4]), _seconds(parts[4:]), text)


def _seconds(parts: list[int]) -> float:
    hours, minutes, seconds, milliseconds = parts
    return (((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds) / 1000


def _transcripts(folder: Path) -> tuple[str, list[Transcript]]:
    """Where the transcripts are from, for the signature, and all of them."""
    archive = place(folder, ARCHIVE)
    loose = place(folder, FOLDER)
    if not archive.exists() and loose.is_dir():
        found = [Transcript(path.stem, str(path), read_bytes(path)) for path in _srt_files(loose)]
        return local_name(_digest(each.video.encode() + each.data) for each in found), found
    if not archive.exists():
        raise InputError(f"no such file, and no folder {loose}; {FETCH_HINT}", where=str(archive))
    data = read_bytes(archive)
    digest = _digest(data)
    name = "miningyoutube" if digest == released_sha256(ARCHIVE) else local_name([digest])
    return name, list(read_archive(data, str(archive)))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _srt_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix == ".srt")


def read_archive(data: bytes, where: str) -> Iterator[Transcript]:
    """The .srt members of a .tar.gz, at any depth, in its order.

    Members that are not regular .srt files are passed over. Raises `InputError`
    for an archive that is damaged or larger than any such archive can be.
    """
    import io
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(_unzip(data, where)), mode="r:") as archive:
            for count, member in enumerate(archive, start=1):
                path = PurePosixPath(member.name)
                if count > MAX_MEMBERS:
                    raise InputError(f"holds more than {MAX_MEMBERS} files", where=where)
                if member.isreg() and path.suffix == ".srt":
                    file = archive.extractfile(member)
                    data = file.read() if file else b""
                    yield Transcript(path.stem, f"{where}: {member.name}", data)
    except tarfile.TarError as error:
        raise InputError(f"not a whole .tar.gz: {error}; {FETCH_HINT}", where=where) from None


def _unzip(data: bytes, where: str) -> bytes:
    """What a gzip file holds, as long as that is not more than `MAX_BYTES`."""
    import zlib

    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = stream.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise InputError(f"not a gzip file: {error}; {FETCH_HINT}", where=where) from None
    if len(plain) == MAX_BYTES:
        raise InputError(f"unpacks to {MAX_BYTES} bytes or more", where=where)
    if not stream.eof:
        raise InputError(f"ends in the middle; {FETCH_HINT}", where=where)
    return plain
