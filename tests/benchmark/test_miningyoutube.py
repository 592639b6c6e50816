"""MiningYouTube's SRT files: their format, and archives that mean harm."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from gytbench.benchmark import Instance, load_benchmark, miningyoutube
from gytbench.benchmark.miningyoutube import parse_srt, read_archive
from gytbench.errors import InputError

CUE = "1\n00:00:01,000 --> 00:00:02,500\npour it\n"


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
        for info, data in members:
            opened.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def regular(name: str, data: bytes = CUE.encode()) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


@pytest.mark.parametrize(
    "data",
    [
        CUE.encode(),
        CUE.encode("utf-8-sig"),
        CUE.replace("\n", "\r\n").encode(),
        CUE.strip().encode(),
        f"\n\n{CUE}\n\n".encode(),
        CUE.replace(",", ".").replace("pour it", "pour it  ").encode(),
    ],
)
def test_ways_to_write_a_cue(data: bytes) -> None:
    (cue,) = parse_srt(data, "x.srt")
    assert (cue.start, cue.end, cue.text) == (1.0, 2.5, "pour it")


def test_cues_need_no_empty_line_between_them() -> None:
    second = CUE.replace("1\n", "2\n", 1)
    assert [cue.line for cue in parse_srt((CUE + second).encode(), "x.srt")] == [3, 6]


def test_hours() -> None:
    (cue,) = parse_srt(b"1\n01:02:03,004 --> 10:00:00,000\nx", "x.srt")
    assert (cue.start, cue.end) == (3723.004, 36000.0)


def test_no_cues() -> None:
    assert list(parse_srt(b"", "x.srt")) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1\n", "x.srt: line 1: ends in the middle of a cue"),
        (CUE.encode() + b"\n2\n00:00:01,000 --> 00:00:02,500\n", "line 5: ends in the middle"),
        (CUE.replace("1\n", "one\n", 1).encode(), "line 1: not a cue number: 'one'"),
        (CUE.replace("-->", "->").encode(), "line 2: not HH:MM:SS,mmm --> HH:MM:SS,mmm"),
        (CUE.replace(",500", ",5").encode(), "line 2: not HH:MM:SS,mmm"),
        (CUE.replace("00:00:02", "00:99:02").encode(), "line 2: not HH:MM:SS,mmm"),
        (CUE.replace("00:00:01", "-0:00:01").encode(), "line 2: not HH:MM:SS,mmm"),
        (CUE.encode() + b"and more text\n", "line 4: ends in the middle"),
        (b"1\n\xff\xfe\n", "x.srt: not UTF-8: byte 2"),
    ],
)
def test_malformed_srt(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        list(parse_srt(data, "x.srt"))
    assert message in str(caught.value)


def test_names_in_an_archive_are_only_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["../../evil.srt", "/etc/absolute.srt", "deep/er/inside.srt", "no_srt.txt", "x.srt.exe"]
    data = archive(*(regular(name) for name in names))
    assert [each.video for each in read_archive(data, "a")] == ["evil", "absolute", "inside"]
    assert list(tmp_path.rglob("*")) == []
    assert not list(tmp_path.parent.glob("*.srt"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_passed_over(kind: bytes) -> None:
    info = tarfile.TarInfo("link.srt")
    info.type = kind
    info.linkname = "/etc/passwd"
    found = read_archive(archive((info, b""), regular("real.srt")), "a")
    assert [each.video for each in found] == ["real"]


def test_an_archive_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miningyoutube, "MAX_BYTES", 100_000)
    data = archive(regular("huge.srt", bytes(1_000_000)))
    assert len(data) < 10_000
    with pytest.raises(InputError, match="a: unpacks to 100000 bytes or more"):
        list(read_archive(data, "a"))


def test_a_member_that_claims_to_be_huge() -> None:
    info = tarfile.TarInfo("huge.srt")
    info.size = 1 << 33
    data = gzip.compress(info.tobuf() + b"1\n")
    with pytest.raises(InputError, match=r"a: not a whole \.tar\.gz"):
        list(read_archive(data, "a"))


def test_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miningyoutube, "MAX_MEMBERS", 2)
    members = [regular(f"{number}.srt") for number in range(3)]
    assert len(list(read_archive(archive(*members[:2]), "a"))) == 2
    with pytest.raises(InputError, match="holds more than 2 files"):
        list(read_archive(archive(*members), "a"))


WHOLE = archive(regular("x.srt"))


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        pytest.param(b"", "a: ends in the middle", id="empty"),
        pytest.param(b"not gzip", "a: not a gzip file", id="text"),
        pytest.param(WHOLE[: len(WHOLE) // 2], "a: ends in the middle", id="half"),
        pytest.param(WHOLE[:-1], "a: ends in the middle", id="but a byte"),
        pytest.param(WHOLE[:-8] + bytes(8), "a: not a gzip file", id="wrong sum"),
        pytest.param(gzip.compress(b"not a tar" * 100), "a: not a whole .tar.gz", id="no tar"),
        pytest.param(gzip.compress(b""), "a: not a whole .tar.gz", id="empty tar"),
        pytest.param(
            gzip.compress(gzip.decompress(WHOLE)[:514]), "a: not a whole .tar.gz", id="half a tar"
        ),
    ],
)
def test_damaged_archives(damaged: bytes, message: str) -> None:
    assert len(list(read_archive(WHOLE, "a"))) == 1
    with pytest.raises(InputError) as caught:
        list(read_archive(damaged, "a"))
    assert message in str(caught.value)


def put(small: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    (small / "miningyoutube" / "test_annotations.tar.gz").write_bytes(archive(*members))


@pytest.mark.parametrize(
    ("names", "cue", "message"),
    [
        (["who.srt"], CUE, "tar.gz: who.srt: its video is not in id2wh_new.json"),
        (["a/aaaaaaaaaaa.srt", "b/aaaaaaaaaaa.srt"], CUE, "b/aaaaaaaaaaa.srt: a second file of"),
        (
            ["aaaaaaaaaaa.srt"],
            CUE.replace("pour", "puor"),
            "aaaaaaaaaaa.srt: line 3: step 'puor it' is not in the class map; did you mean pour_it",
        ),
    ],
)
def test_archives_that_contradict_the_benchmark(
    small: Path, names: list[str], cue: str, message: str
) -> None:
    put(small, *(regular(name, cue.encode()) for name in names))
    with pytest.raises(InputError) as caught:
        _ = load_benchmark(data=small).cues
    assert message in str(caught.value)


def test_a_folder_of_srt_files_in_place_of_the_archive(small: Path) -> None:
    (small / "miningyoutube" / "test_annotations.tar.gz").unlink()
    folder = small / "miningyoutube" / "annotations"
    folder.mkdir()
    (folder / "aaaaaaaaaaa.srt").write_text(CUE)
    (folder / "notes.txt").write_text("no SRT")
    benchmark = load_benchmark(data=small)
    assert benchmark.cues == (Instance("aaaaaaaaaaa", 0, 1.0, 2.5, "pour_it", "pour_it"),)
    assert benchmark.cues_data.startswith("local@")
    (folder / "aaaaaaaaaaa.srt").write_text(CUE.replace("500", "501"))
    assert load_benchmark(data=small).cues_data != benchmark.cues_data


def test_neither_archive_nor_folder(small: Path) -> None:
    (small / "miningyoutube" / "test_annotations.tar.gz").unlink()
    with pytest.raises(
        InputError, match=r"tar\.gz: no such file, and no folder .*annotations; `gyt"
    ):
        _ = load_benchmark(data=small).cues
