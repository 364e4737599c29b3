"""Counts at all limits at once, against the assignment at each pair of them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.inside.nets import EVERY, looked_into, module_of, true_boxes
from vision_core.inside.assignment import assign, has_one_limit
from vision_core.inside.limits import limit_table

MATCHED = [n for n in EVERY if "fcos" not in n and "yolo" not in n]
PAIRS = ((0.7, 0.3), (0.5, 0.4), (0.35, 0.35), (1.0, 0.0), (0.123, 0.05), (0.0, 0.0))


@pytest.mark.parametrize("name", MATCHED)
def test_the_table_counts_as_the_assignment_does(name):
    here, true = looked_into(name), true_boxes(name).numpy()
    single = has_one_limit(module_of(name))
    assert single == ("ssd" in name)
    table = limit_table(here, true, (0.123,), single)
    for high, low in PAIRS:
        low = high if single else low
        assert table.counts(high, low) == assign(here, true, high, low).counts()
    assert table.forced[-1] >= len(true), "the best anchor of each true box is taken"


def test_a_limit_between_the_steps_is_refused_unless_it_was_asked_for():
    table = limit_table(looked_into("faster_rcnn_s"), [[30, 20, 300, 250]])
    with pytest.raises(ValueError, match="grid"):
        table.counts(0.7, 0.3001)
    assert np.all(np.diff(table.below) >= 0) and len(table.grid) == 101
