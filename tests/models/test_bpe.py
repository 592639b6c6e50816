import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import RobertaTokenizer

from gytbench.errors import InputError
from gytbench.models import bpe
from gytbench.models.bpe import MAX_IDS, BytePairs, load_byte_pairs
from tests.models.tokens import PAIRS, small_vocabulary, write_tokenizer

IDS = small_vocabulary()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory) -> BytePairs:
    return load_byte_pairs(*write_tokenizer(tmp_path_factory.mktemp("tokens")))


@pytest.fixture(scope="module")
def published() -> RobertaTokenizer:
    return RobertaTokenizer(vocab=small_vocabulary(), merges=list(PAIRS))


def pieces(tokens: BytePairs, text: str) -> list[str]:
    names = {number: piece for piece, number in IDS.items()}
    return [names[each] for each in tokens.ids(text)]


def test_pairs_are_merged_by_rank(tokens) -> None:
    # "cr" comes before "ac", so that nothing is left for "ac" but in "ack".
    assert pieces(tokens, "crack") == ["<s>", "crack", "</s>"]
    assert pieces(tokens, "crac") == ["<s>", "cr", "ac", "</s>"]
    assert pieces(tokens, "egg crack egg") == ["<s>", "egg", "Ġcrack", "Ġegg", "</s>"]


def test_words_are_split_before_they_are_merged(tokens) -> None:
    assert pieces(tokens, "egg's") == ["<s>", "egg", "'s", "</s>"]
    assert pieces(tokens, "a!'s") == ["<s>", "a", "!", "'", "s", "</s>"]
    assert pieces(tokens, "e12g") == ["<s>", "e", "12", "g", "</s>"]
    assert pieces(tokens, "   egg") == ["<s>", "ĠĠ", "Ġegg", "</s>"]
    assert pieces(tokens, "é") == ["<s>", "Ã©", "</s>"]
    assert pieces(tokens, "") == ["<s>", "</s>"]


@given(
    st.text(st.sampled_from(" crackeg's12,!é½²\n\tlvdmñ中Ω\u0301\u00a0\u2003\x1c\x85"), max_size=30)
)
def test_ids_are_those_of_transformers(tokens, published, text) -> None:
    assert tokens.ids(text) == published(text)["input_ids"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=20))
def test_ids_of_any_text_are_those_of_transformers(tokens, published, text) -> None:
    assert tokens.ids(text) == published(text)["input_ids"]


def test_broken_text_is_no_fault(tokens) -> None:
    assert pieces(tokens, "a\ud800") == ["<s>", "a", "?", "</s>"]


def test_long_texts_keep_their_end(tokens) -> None:
    ids = tokens.ids("crack " * 600)
    assert len(ids) == MAX_IDS
    assert ids[:2] == [IDS["<s>"], IDS["crack"]]
    assert ids[-2:] == [IDS["Ġcrack"], IDS["</s>"]]


def test_lines_may_end_as_on_windows(tokens, tmp_path) -> None:
    vocabulary, merges = write_tokenizer(tmp_path)
    merges.write_bytes(merges.read_bytes().replace(b"\n", b"\r\n"))
    assert load_byte_pairs(vocabulary, merges).ids("crack egg") == tokens.ids("crack egg")


def refused(folder, name: str, content: str | bytes | None) -> str:
    """The message where one of the two files has another content, or is missing (None)."""
    write_tokenizer(folder)
    path = folder / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as error:
        load_byte_pairs(folder / "vocab.json", folder / "merges.txt")
    assert error.value.faults[0].where == str(path)
    assert "huggingface.co/FacebookAI/roberta-base" in str(error.value)
    return str(error.value)


def without(*pieces: str) -> str:
    return json.dumps({piece: number for piece, number in IDS.items() if piece not in pieces})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file"),
        ("", "is no JSON object of ids by piece"),
        ("[1, 2]", "is no JSON object of ids by piece"),
        (json.dumps(IDS | {"x y": 0.5}), "is no JSON object of ids by piece"),
        (json.dumps(IDS | {"x y": True}), "is no JSON object of ids by piece"),
        (b'{"\xff": 1}', "is not UTF-8"),
        (without("<s>", "</s>"), "lacks 2 of the pieces that RoBERTa has: </s>, <s>"),
        (without("Ġ"), "lacks 1 of the pieces"),
        (json.dumps(IDS | {"x y": 7}), "needs one id from 0 to 50264 for each piece"),
        (json.dumps(IDS | {"x y": -1}), "needs one id from 0 to 50264"),
        (json.dumps(IDS | {"x y": 50265}), "needs one id from 0 to 50264"),
    ],
)
def test_a_vocabulary_that_does_not_serve_is_refused(tmp_path, content, told) -> None:
    assert told in refused(tmp_path, "vocab.json", content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file"),
        ("#version: 0.2\n", "has no pairs"),
        ("#version: 0.2\nc r\nc\n", "line 3 is no pair"),
        ("c r a\n", "line 1 is no pair"),
        ("c  r\n", "line 1 is no pair"),
        ("c r\ne x\n", "line 2 has a piece that "),
        ("c r\nxx y\n", "line 2 has a piece that "),
    ],
)
def test_merges_that_do_not_serve_are_refused(tmp_path, content, told) -> None:
    assert told in refused(tmp_path, "merges.txt", content)


def test_a_folder_is_no_file(tmp_path) -> None:
    vocabulary, merges = write_tokenizer(tmp_path)
    merges.unlink()
    merges.mkdir()
    with pytest.raises(InputError, match="no such file"):
        load_byte_pairs(vocabulary, merges)


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_large_files_are_not_read(tmp_path, monkeypatch, name) -> None:
    paths = {path.name: path for path in write_tokenizer(tmp_path)}
    monkeypatch.setattr(bpe, "MAX_BYTES", max(p.stat().st_size for p in paths.values()))
    load_byte_pairs(*paths.values())
    with paths[name].open("a") as file:
        file.write(" " * 10_000)
    with pytest.raises(InputError, match="holds more than"):
        load_byte_pairs(*paths.values())
