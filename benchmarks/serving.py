"""What travels to the service and back, and what the way costs: python -m benchmarks.serving

For every bundled network on a sample photo: bytes of the photo and of the trace, as they are and as
they travel; milliseconds of packing and unpacking the trace; and how much longer a trace from a
service in this process takes than the trace itself, by HTTP on this machine.
"""

from __future__ import annotations

import threading

from benchmarks.common import cat, in_turn, milliseconds, network, report
from vision_core.inference import trace
from vision_core.models import cards
from vision_core.serving import remote
from vision_core.serving.client import Client
from vision_core.serving.host import Host
from vision_core.serving.service import Service
from vision_core.serving.wire import pack, unpack

REPEATS = 7


def main() -> None:
    """Print one line for each network."""
    photo = cat()
    host = Host(Service("cpu"), ("127.0.0.1", 0), "")
    threading.Thread(target=host.serve_forever, daemon=True).start()
    client = Client([host.url])
    for name in (card.name for card in cards() if card.bundled):
        model = network(name)
        made = trace(model, photo)
        packed = pack(made)

        def there(model=model) -> None:
            host.service._traces.clear()
            remote.trace(client, model, photo)

        here_ms, there_ms = in_turn(lambda model=model: trace(model, photo), there, REPEATS)
        report(
            "serving",
            model=name,
            photo_bytes=photo.pixels.nbytes,
            photo_sent=len(pack(photo.pixels)),
            trace_bytes=made.nbytes,
            trace_sent=len(packed),
            pack_ms=sorted(milliseconds(lambda made=made: pack(made), REPEATS))[REPEATS // 2],
            unpack_ms=sorted(milliseconds(lambda p=packed: unpack(p), REPEATS))[REPEATS // 2],
            trace_ms=here_ms,
            service_ms=there_ms,
            ratio=there_ms / here_ms,
        )
    host.shutdown()


if __name__ == "__main__":
    main()
