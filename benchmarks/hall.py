"""A hall of people at one or several servers: python -m benchmarks.hall --people 1 10 30

Starts the app and speaks its websocket protocol, without browsers. Everybody opens Predictions on a
sample, or with ``--uploads`` on a photo of their own that is sent first, then moves the score
threshold every ``--every`` seconds. All come within ``--arrive`` seconds; ``--stay 2`` brings a new
photo after two moves; with ``--tour`` everybody explains a box and compares two networks after the
first move; ``--browsers 3`` adds real ones. With ``--servers 2`` everybody keeps to the server that
they met first, as behind the proxy. Printed for each size: median and 95th percentile of
the first prediction, of the moves and of the tour's pages (seconds from sending to the end of the
script), the longest line, memory of all servers, errors, and wrong answers: the boxes for a photo
and a threshold, and what a page of the tour draws, are compared with what one person got who asked
alone, at servers that were then started anew.

``--serve URL`` sends the networks' work to a service that ``make serve`` started on this machine,
and ``--kill 3`` ends one of its replicas three times, without a warning. The answers are compared
with those of a server that has no service; both must have as many threads
(``CONVSCOPE_SERVE_THREADS``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.app_servers import Servers, running
from benchmarks.common import report
from benchmarks.visitor import OwnPhoto, Visitor, own_photo
from vision_core.samples import names

THRESHOLDS = tuple(round(0.3 + 0.05 * i, 2) for i in range(10))
CHECKED = 10
"""One in so many own photos is asked for alone beforehand, at every threshold."""
TOLD = 5.0
"""Seconds between two times at which a server tells its numbers."""
LOOK = 1.0
"""Seconds between two looks at them."""
TOUR = ("attribution", "compare")
TOURED = 0.5
"""The threshold at which all set out on the tour: what its pages show depends on it."""
Truth = dict[tuple[str, float | str], str]


@dataclass
class Tally:
    """What a hall of one size measured.

    Attributes:
        first, moves: seconds.
        tour: seconds of each page of the tour.
        errors: what went wrong, by its sentence.
        checked, wrong: answers that were compared, and those that differ.
        memory: MB of all servers together, every ``LOOK`` seconds.
        line: most that waited for a device, or for the service, at once.
        killed: numbers of processes of the service that were ended.
        service: what all servers together asked of the service, if there is one.
        browsers: what the real browsers among them saw, see ``onlookers``.
    """

    first: list[float] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)
    tour: dict[str, list[float]] = field(default_factory=lambda: {page: [] for page in TOUR})
    errors: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    wrong: int = 0
    memory: list[float] = field(default_factory=list)
    line: int = 0
    killed: list[int] = field(default_factory=list)
    service: dict[str, int] = field(default_factory=dict)
    browsers: dict[str, list[Any]] = field(default_factory=dict)


def photo_of(number: int, own: bool) -> str | OwnPhoto:
    """What person ``number`` looks at: a sample, or what they bring."""
    return own_photo(number) if own else names()[number % len(names())]


async def hall(servers: Servers, people: int, chosen: argparse.Namespace, truth: Truth) -> Tally:
    """Everybody comes within the first ``arrive`` seconds and moves until the time is over."""
    tally = Tally()
    until = time.monotonic() + 60 * chosen.minutes

    async def live(number: int) -> None:
        draw = random.Random(number)
        await asyncio.sleep(draw.uniform(0, chosen.arrive or chosen.every))
        address = servers.addresses[number % len(servers.addresses)]
        while time.monotonic() < until:
            visitor = Visitor(address, photo_of(number, chosen.uploads))
            try:
                await stay(visitor, draw)
            except Exception as error:
                tally.errors[f"{type(error).__name__}: {error}"[:80]] += 1
            tally.errors.update(words[:80] for words in visitor.errors)
            number += people

    async def stay(visitor: Visitor, draw: random.Random) -> None:
        tally.first.append(await visitor.open())
        moves = 0
        while time.monotonic() < until and moves < chosen.stay:
            await asyncio.sleep(draw.uniform(0.5, 1.5) * chosen.every)
            score = draw.choice(THRESHOLDS)
            tally.moves.append(await visitor.move(score))
            moves += 1
            compare(visitor, score, visitor.picture)
            if moves == 1 and chosen.tour:
                await tour(visitor, draw)
        await visitor.close()

    async def tour(visitor: Visitor, draw: random.Random) -> None:
        await visitor.move(TOURED)
        for page in TOUR:
            tally.tour[page].append(await visitor.visit(page))
            compare(visitor, page, visitor.drawing)
            await asyncio.sleep(draw.uniform(0.5, 1.5) * chosen.every)
        await visitor.visit("predictions")

    def compare(visitor: Visitor, asked: float | str, answer: str) -> None:
        if (expected := truth.get((visitor.name, asked))) is not None:
            tally.checked += 1
            tally.wrong += expected != answer

    tasks = [asyncio.create_task(watch(servers, tally))]
    if chosen.kill:
        tasks.append(asyncio.create_task(kill(60 * chosen.minutes, chosen.kill, tally)))
    onlookers = asyncio.create_task(look_on(servers.addresses[0], chosen))
    await asyncio.gather(*(live(number) for number in range(people)))
    tally.browsers = await onlookers
    await asyncio.sleep(TOLD + 1)  # the counters' last words
    for task in tasks:
        task.cancel()
    return tally


async def look_on(address: str, chosen: argparse.Namespace) -> dict[str, list[Any]]:
    """Real browsers, in a process of their own, which leave a little before the others."""
    if not chosen.browsers:
        return {}
    told = {"count": chosen.browsers, "seconds": 60 * chosen.minutes - 15, "every": chosen.every}
    words = [sys.executable, "-m", "benchmarks.onlookers", address]
    words += [f"--{name}={value}" for name, value in told.items()]
    run = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    return dict(json.loads((await run.communicate())[0]))


async def watch(servers: Servers, tally: Tally) -> None:
    """Look at memory and lines now and again, for ever."""
    while True:
        numbers = servers.numbers()
        tally.memory.append(sum((n["resident_bytes"] or 0) / 1e6 for n in numbers))
        services = [n["service"] for n in numbers if n["service"]]
        waiting = [told["waiting"] for told in (*services, *(n["queue"] for n in numbers))]
        tally.line = max([tally.line, *waiting])
        counted = ("asked", "repeated", "sent_bytes", "received_bytes")
        tally.service = {name: sum(told[name] for told in services) for name in counted}
        await asyncio.sleep(LOOK)


async def kill(seconds: float, times: int, tally: Tally) -> None:
    """End a replica of the service on this machine so many times, evenly over the time."""
    for _ in range(times):
        await asyncio.sleep(seconds / (times + 1))
        told = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
        replicas = [int(row.split()[0]) for row in told.splitlines() if "ray::ServeReplica" in row]
        if not replicas:
            raise SystemExit("The service has no replica by Ray Serve on this machine.")
        os.kill(replicas[0], signal.SIGKILL)
        tally.killed.append(replicas[0])


async def alone(address: str, photos: int, own: bool, tour: bool) -> Truth:
    """One person asks at every threshold, for every sample or for one in ten own photos."""
    truth: Truth = {}
    for number in range(0, photos, CHECKED) if own else range(len(names())):
        visitor = Visitor(address, photo_of(number, own))
        await visitor.open()
        for score in THRESHOLDS:
            await visitor.move(score)
            truth[visitor.name, score] = visitor.picture
        await visitor.move(TOURED)
        for page in TOUR if tour else ():
            await visitor.visit(page)
            truth[visitor.name, page] = visitor.drawing
        await visitor.close()
        if visitor.errors:
            raise SystemExit(f"One person alone met errors: {visitor.errors}")
    return truth


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of all lie; NaN without any."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[round(100 * share) - 1]


def seen(told: dict[str, list[Any]]) -> dict[str, Any]:
    """What the browsers saw, in a few numbers."""
    if not told:
        return {}
    shares = {n: [percentile(told[n], q) for q in (0.5, 0.95)] for n in ("first", "moves")}
    return {**shares, "counted": len(told["moves"]), "errors": told["errors"]}


def measure(people: int, chosen: argparse.Namespace, truth: Truth) -> None:
    """Print one line for a hall of that size, at servers that have just been started."""
    with running(chosen.servers, chosen.serve) as servers:
        for address in servers.addresses:  # the networks are loaded before the hall comes
            asyncio.run(alone(address, 1, chosen.uploads, chosen.tour))
        time.sleep(TOLD + 1)
        tally = asyncio.run(hall(servers, people, chosen, truth))
    settled = tally.memory[int(min(300, 30 * chosen.minutes) / LOOK)]
    report(
        "hall",
        people=people,
        servers=chosen.servers,
        uploads=chosen.uploads,
        every_s=chosen.every,
        arrive_s=chosen.arrive or chosen.every,
        minutes=chosen.minutes,
        first_p50=percentile(tally.first, 0.5),
        first_p95=percentile(tally.first, 0.95),
        move_p50=percentile(tally.moves, 0.5),
        move_p95=percentile(tally.moves, 0.95),
        tour={page: [percentile(s, q) for q in (0.5, 0.95)] for page, s in tally.tour.items() if s},
        photos=len(tally.first),
        first_max=max(tally.first),
        moves=len(tally.moves),
        killed=len(tally.killed),
        service=tally.service,
        browsers=seen(tally.browsers),
        longest_line=tally.line,
        checked=tally.checked,
        wrong=tally.wrong,
        errors=dict(tally.errors),
        mb_start=tally.memory[0],
        mb_settled=settled,
        mb_peak=max(tally.memory),
        mb_end=tally.memory[-1],
    )


def main() -> None:
    """Print one line for each size of the hall."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 10, 30, 100])
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two moves")
    parser.add_argument("--arrive", type=float, help="seconds in which all come; as --every")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--uploads", action="store_true", help="everybody brings a photo")
    parser.add_argument("--tour", action="store_true", help="everybody explains and compares, too")
    parser.add_argument("--browsers", type=int, default=0, help="real browsers among them")
    parser.add_argument("--stay", type=float, default=math.inf, help="moves on each photo")
    parser.add_argument("--serve", default="", help="address of a service that runs the networks")
    parser.add_argument("--kill", type=int, default=0, help="times to end one of its replicas")
    chosen = parser.parse_args()
    rounds = math.ceil(60 * chosen.minutes / (chosen.every * chosen.stay)) + 1
    with running(1, share=chosen.servers) as servers:
        photos = max(chosen.people) * rounds
        truth = asyncio.run(alone(servers.addresses[0], photos, chosen.uploads, chosen.tour))
    for people in chosen.people:
        measure(people, chosen, truth)


if __name__ == "__main__":
    main()
