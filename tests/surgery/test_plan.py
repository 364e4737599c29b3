"""Plans: one record for one intention, however it is written."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

from vision_core.errors import UserError
from vision_core.surgery import Kernel, Noise, Plan, Quantise, Round, Scale, Skip, Swap
from vision_core.surgery.plan import amplified, kernel_text, planned, rewritten, silenced

EVERY = (Skip("b"), Skip("a"), Scale("c", 0, 3, 0.5), Swap("gelu"), Noise(0.1, 3), Quantise(4))


def test_the_order_in_which_it_was_given_makes_no_difference() -> None:
    plans = {Plan(order) for order in itertools.permutations(EVERY)}
    assert len(plans) == 1 and len({plan.digest for plan in plans}) == 1


def test_every_change_gives_another_plan() -> None:
    changed = (
        Skip("c"),
        Scale("c", 0, 3, 0.6),
        Scale("c", 0, 2, 0.5),
        Swap("elu"),
        Noise(0.1, 4),
        Noise(0.2, 3),
        Quantise(5),
        Round("float16"),
    )
    digests = {Plan((one,)).digest for one in (*EVERY, *changed)}
    assert len(digests) == len(EVERY) + len(changed)


def test_what_changes_nothing_is_left_out() -> None:
    same = (Scale("a", 0, 5, 1.0), Swap("relu"), Noise(0.0, 7), Round("float32"))
    assert not Plan(same) and Plan(same) == Plan() == planned()
    assert Plan((Skip("a"), Skip("a"))) == Plan((Skip("a"),))
    twice = Plan((Scale("a", 0, 0, 2.0), Scale("a", 0, 0, 2.0)))
    assert len(twice.operations) == 2, "factors of one channel multiply"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Scale("a", 3, 2), "3-2 is none"),
        (lambda: Scale("a", 0, 0, 4.1), "between 0 and 4, not 4.1"),
        (lambda: Scale("a", 0, 0, float("nan")), "not nan"),
        (lambda: Swap("softmax"), "no activation 'softmax'"),
        (lambda: Noise(-1), "between 0 and 2, not -1"),
        (lambda: Noise(1, -1), "whole number from 0"),
        (lambda: Quantise(1), "2 to 16 bits, not 1"),
        (lambda: Round("int8"), "no precision 'int8'"),
        (lambda: Plan((Swap("gelu"), Swap("elu"))), "Only one of these"),
        (lambda: silenced("layer"), "LAYER:CHANNEL"),
        (lambda: silenced("layer:x"), "LAYER:CHANNEL"),
        (lambda: silenced(":3"), "LAYER:CHANNEL"),
        (lambda: silenced("a:1-2-3"), "LAYER:CHANNEL"),
        (lambda: amplified("layer:3"), "LAYER:CHANNEL"),
        (lambda: amplified("layer:3:x"), "LAYER:CHANNEL:FACTOR"),
        (lambda: amplified("layer:3:9"), "between 0 and 4, not 9"),
    ],
)
def test_a_mistake_is_one_sentence(make, said) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        make()


def test_channels_as_they_are_written() -> None:
    assert silenced("trunk.stem:3") == Scale("trunk.stem", 3, 3, 0.0)
    assert silenced("trunk.stem:0-15") == Scale("trunk.stem", 0, 15, 0.0)
    assert amplified("trunk.stem:2-4:1.5") == Scale("trunk.stem", 2, 4, 1.5)


def test_the_record_says_all_of_it_and_the_words_too() -> None:
    told = Plan(EVERY).record()
    assert [one["operation"] for one in told] == [
        "skip",
        "skip",
        "scale",
        "swap",
        "noise",
        "quantise",
    ]
    assert told[2] == {
        "operation": "scale",
        "layer": "c",
        "first": 0,
        "last": 3,
        "factor": 0.5,
        "text": "channels 0-3 of c times 0.5",
    }
    assert "skip block a; skip block b" in Plan(EVERY).words and Plan().words == "nothing"


def test_a_kernel_as_it_is_written_keeps_every_digit_of_a_float32() -> None:
    kernel = Kernel("trunk.stem.0", 3, 1, (0.1234567806124687, -2.0, 1e-8, 0.0))
    again = rewritten(kernel_text(kernel))
    assert (again.layer, again.filter, again.channel) == ("trunk.stem.0", 3, 1)
    assert np.array_equal(np.float32(again.values), np.float32(kernel.values))
    with pytest.raises(UserError, match="set twice"):
        Plan((kernel, again))


@pytest.mark.parametrize("text", ["a:1=2", "a:1:2", "a:1:2=", "a:x:2=1", ":1:2=1", "a:1:2=1,,2"])
def test_a_kernel_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="LAYER:FILTER:CHANNEL=NUMBERS"):
        rewritten(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1001.0])
def test_a_kernel_of_numbers_that_are_none_is_refused(value: float) -> None:
    with pytest.raises(UserError, match="between -1000 and 1000"):
        Kernel("a", 0, 0, (value,))
