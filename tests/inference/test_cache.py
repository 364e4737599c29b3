"""The byte-capped cache: bounded, least recently used first, one maker per key."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vision_core.inference.cache import ByteLRU


def block(kilobytes: int) -> np.ndarray:
    return np.zeros(kilobytes * 1024, np.uint8)


def test_thirty_values_never_exceed_the_cap():
    cache: ByteLRU[np.ndarray] = ByteLRU(10 * 1024)
    for i in range(30):
        cache.put(i, block(3))
        assert cache.nbytes <= cache.max_bytes
    assert len(cache) == 3 and 29 in cache and 0 not in cache


def test_a_use_keeps_a_value():
    cache: ByteLRU[np.ndarray] = ByteLRU(3 * 1024)
    for name in "abc":
        cache.put(name, block(1))
    assert cache.get("a") is not None
    cache.put("d", block(1))
    assert "a" in cache and "b" not in cache


def test_too_large_a_value_is_handed_out_but_not_kept():
    cache: ByteLRU[np.ndarray] = ByteLRU(1024)
    assert cache.get_or_make("big", lambda: block(2)).nbytes == 2048
    assert len(cache) == 0 and cache.nbytes == 0


def test_replacing_counts_once():
    cache: ByteLRU[np.ndarray] = ByteLRU(10 * 1024)
    cache.put("a", block(2))
    cache.put("a", block(3))
    assert cache.nbytes == 3 * 1024
    cache.clear()
    assert cache.nbytes == 0 and cache.get("a") is None


def test_eight_threads_make_a_value_once():
    cache: ByteLRU[np.ndarray] = ByteLRU(1 << 20)
    made = []
    start = threading.Barrier(8)

    def make():
        made.append(1)
        time.sleep(0.05)
        return block(1)

    def ask(_):
        start.wait()
        return cache.get_or_make("key", make)

    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(ask, range(8)))
    assert len(made) == 1 and all(v is values[0] for v in values)


def test_an_error_stores_nothing_and_the_next_caller_tries_again():
    cache: ByteLRU[np.ndarray] = ByteLRU(1 << 20)

    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.get_or_make("key", fail)
    assert cache.get_or_make("key", lambda: block(1)).nbytes == 1024


def test_sizes_of_mappings_and_sequences_add_up():
    cache: ByteLRU[object] = ByteLRU(1 << 20)
    cache.put("nested", {"a": [block(1), block(2)], "b": (block(3),), "c": "text"})
    assert cache.nbytes == 6 * 1024


def test_a_value_whose_maker_fails_is_made_once_by_the_others() -> None:
    cache = ByteLRU(10_000)
    started, go = threading.Event(), threading.Event()
    makers: list[str] = []

    def ask(name: str, fails: bool = False) -> None:
        def make() -> np.ndarray:
            makers.append(name)
            started.set()
            assert go.wait(30)
            if fails:
                raise KeyboardInterrupt
            time.sleep(0.2)
            return block(1)

        with contextlib.suppress(KeyboardInterrupt):
            cache.get_or_make("key", make)

    threads = [threading.Thread(target=ask, args=("leaves", True))]
    threads[0].start()
    assert started.wait(30)
    threads += [threading.Thread(target=ask, args=(f"stays {i}",)) for i in range(3)]
    for thread in threads[1:]:
        thread.start()
    go.set()
    time.sleep(0.05)
    ask("comes later")  # while one of them makes it
    for thread in threads:
        thread.join(30)
    assert makers[0] == "leaves" and len(makers) == 2
