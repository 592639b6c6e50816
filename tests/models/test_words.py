from pathlib import Path

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.models.words import Dictionary, load_dictionary

WORDS = ["crack", "egg", "the", "don't", "Egg"]


def save(words, folder: Path) -> Path:
    path = folder / "dict.npy"
    np.save(path, words)
    return path


def test_a_words_number_is_its_place_counted_from_one() -> None:
    assert Dictionary(WORDS, lower_case=False).numbers("crack the egg") == [1, 3, 2]


def test_unknown_words_are_dropped_and_apostrophes_kept() -> None:
    words = Dictionary(WORDS, lower_case=False)
    assert words.numbers("please, don't -- crack an egg!") == [4, 1, 2]


@pytest.mark.parametrize(("lower_case", "number"), [(True, 2), (False, 5)])
def test_case_counts_unless_texts_are_lower_cased(lower_case, number) -> None:
    assert Dictionary(WORDS, lower_case).numbers("Egg") == [number]


def test_an_underscore_joins_words() -> None:
    assert Dictionary(WORDS, lower_case=True).numbers("crack_egg") == []


def test_texts_are_cut_and_filled_with_pads() -> None:
    ids = Dictionary(WORDS, lower_case=True).ids(["crack the egg", "bake the egg", "none"], 2)
    assert ids.dtype == np.int64
    assert ids.tolist() == [[1, 3], [3, 2], [0, 0]]


def test_the_last_of_two_equal_words_counts() -> None:
    assert Dictionary(["egg", "the", "egg"], lower_case=True).numbers("egg") == [3]


def test_a_dictionary_is_read_from_a_file(tmp_path) -> None:
    words = load_dictionary(save(np.array(WORDS), tmp_path), rows=6, lower_case=True)
    assert words.numbers("the egg") == [3, 2]


def test_more_words_than_the_checkpoint_knows_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match=r"dict\.npy: 5 words, but the checkpoint knows 4"):
        load_dictionary(save(np.array(WORDS), tmp_path), rows=5, lower_case=True)


@pytest.mark.parametrize("stored", [np.arange(3), np.array([WORDS]), np.array([b"egg"])])
def test_arrays_of_other_things_are_refused(tmp_path, stored) -> None:
    with pytest.raises(InputError, match="needs one row of strings"):
        load_dictionary(save(stored, tmp_path), rows=9, lower_case=True)


def test_pickled_words_are_refused_unread(tmp_path) -> None:
    path = tmp_path / "dict.npy"
    np.save(path, np.array(WORDS, dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"cannot be read as a \.npy file"):
        load_dictionary(path, rows=9, lower_case=True)


@pytest.mark.parametrize("content", [None, b"", b"egg\nthe\n"])
def test_files_that_are_no_arrays_are_refused(tmp_path, content) -> None:
    path = tmp_path / "dict.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read as a \.npy file"):
        load_dictionary(path, rows=9, lower_case=True)


def test_an_archive_of_arrays_is_refused(tmp_path) -> None:
    path = tmp_path / "dict.npz"
    np.savez(path, words=np.array(WORDS))
    with pytest.raises(InputError, match="needs one row of strings"):
        load_dictionary(path, rows=9, lower_case=True)
