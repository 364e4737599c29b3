"""The line for a device: who goes first, and that nobody is forgotten."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared import engine
from pages.shared.runs import Runs
from vision_core import devices
from vision_core.queueing import FairSlot


class Line:
    """People who come one after the other while the slot is held, and the order of their turns."""

    def __init__(self, patience: float = 2.0) -> None:
        self.now = 0.0
        self.slot = FairSlot(patience, lambda: self.now)
        self.order: list[int] = []
        self.threads: list[threading.Thread] = []

    def comes(self, name: int, patient: bool = False) -> None:
        def work() -> None:
            with self.slot.turn(patient):
                self.order.append(name)

        standing = self.slot.waiting
        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()
        until = time.monotonic() + 30
        while self.slot.waiting == standing and time.monotonic() < until:
            time.sleep(0.001)

    def ends(self) -> list[int]:
        for thread in self.threads:
            thread.join(30)
        return self.order


@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=8))
def test_turns_are_taken_by_time_of_arrival_and_the_patient_stand_back(people) -> None:
    line = Line()
    arrivals = []
    with line.slot.turn():
        for name, (pause, patient) in enumerate(people):
            line.now += pause
            arrivals.append((line.now + (2.0 if patient else 0.0), name))
            line.comes(name, patient)
        assert line.slot.waiting == len(people)
    assert line.ends() == [name for _, name in sorted(arrivals)]
    assert line.slot.waiting == 0 and line.slot.turns == len(people) + 1


def test_a_patient_one_is_passed_for_a_while_and_then_no_more() -> None:
    line = Line(patience=2.0)
    with line.slot.turn():
        line.comes(0, patient=True)
        for name in (1, 2, 3):
            line.now += 0.9
            line.comes(name)
    assert line.ends() == [1, 2, 0, 3]


def test_an_error_hands_the_turn_over() -> None:
    line = Line()
    with pytest.raises(RuntimeError), line.slot.turn():
        line.comes(0)
        raise RuntimeError
    assert line.ends() == [0]


def test_the_expected_wait_is_the_mean_turn_times_those_before() -> None:
    line = Line()
    assert line.slot.expected_wait() == 0
    for _ in range(3):
        with line.slot.turn():
            line.now += 4.0
    assert line.slot.expected_wait() == 0, "nobody is before us"
    with line.slot.turn():
        assert line.slot.expected_wait() == pytest.approx(4.0)
        line.comes(0)
        assert line.slot.expected_wait() == pytest.approx(8.0)
    line.ends()


@given(st.integers(1, 4), st.lists(st.booleans(), max_size=7))
def test_a_wider_line_lets_so_many_in_at_a_time(width, people) -> None:
    slot = FairSlot(width=width)
    inside, most, over = [0], [0], threading.Event()
    lock = threading.Lock()

    def work(patient: bool) -> None:
        with slot.turn(patient):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            over.wait(30)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=work, args=(p,), daemon=True) for p in people]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 30
    while slot.waiting + inside[0] < len(people) and time.monotonic() < until:
        time.sleep(0.001)
    assert inside[0] == min(width, len(people))
    over.set()
    for thread in threads:
        thread.join(30)
    assert most[0] == min(width, len(people)) and not slot.held and slot.turns == len(people)


def test_a_line_that_is_widened_calls_those_who_wait() -> None:
    line = Line()
    with line.slot.turn():
        line.comes(0)
        line.comes(1)
        line.slot.widen(3)
        assert sorted(line.ends()) == [0, 1], "while the first turn is still held"
    line.slot.widen(0)
    assert line.slot.width == 1


def test_steps_of_long_computations_wait_patiently_and_nothing_else_does(monkeypatch) -> None:
    seen: list[bool] = []
    whole = FairSlot.turn

    def turn(self: FairSlot, patient: bool = False):
        seen.append(patient)
        return whole(self, patient)

    monkeypatch.setattr(FairSlot, "turn", turn)

    def steps():
        with devices.forward_slot():
            yield 1

    assert list(Runs[int]().follow("key", steps)) == [1]
    with devices.forward_slot():
        pass
    assert seen == [True, False]


def test_a_page_that_waits_says_its_place(monkeypatch) -> None:
    line = Line()
    monkeypatch.setattr(devices, "slot", line.slot)
    assert engine.queue_words() == ""
    with line.slot.turn():
        line.now += 3.0
    with line.slot.turn():
        line.comes(0)
        assert engine.queue_words() == " (1 before you, about 6 s)"
    line.ends()
