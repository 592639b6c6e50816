import math

import pytest
import torch

from gytbench.models.positions import sine_positions, sine_times


def test_times_are_sines_and_cosines() -> None:
    """Of four channels: the rates are 1 and 1 / 100."""
    expected = [
        [0, 1, 0, 1],
        [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)],
        [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)],
    ]
    found = sine_times(3, 4)
    assert found.shape == (3, 1, 4)
    torch.testing.assert_close(found[:, 0], torch.tensor(expected), rtol=0, atol=1e-6)


def test_positions_cell_by_cell() -> None:
    """Of eight channels: four for the row, four for the column; the last one is at 2 pi."""
    rows, columns, width = 3, 5, 8
    found = sine_positions((rows, columns), width)
    assert found.shape == (width, rows, columns)
    for row in range(rows):
        for column in range(columns):
            expected = []
            for place, count in ((row, rows), (column, columns)):
                angle = (place + 1) / count * 2 * math.pi
                for rate in (1, 0.01):
                    expected += [math.sin(angle * rate), math.cos(angle * rate)]
            assert found[:, row, column].tolist() == pytest.approx(expected, abs=1e-5)
