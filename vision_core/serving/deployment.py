"""The service as a deployment of Ray Serve: replicas that are started anew when they die.

Ray is imported here only, and only when something is started. It sends no usage statistics, shows
no dashboard, and gets a small object store, since nothing passes through it. The service listens
where it is told; Ray's own ports, by which its processes talk, are open on every interface and want
a token of Ray's.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from vision_core.environment import MEGABYTE, number
from vision_core.errors import UserError

NAME = "convscope"
LEAST, MOST = "CONVSCOPE_SERVE_LEAST", "CONVSCOPE_SERVE_MOST"
THREADS = "CONVSCOPE_SERVE_THREADS"
ONGOING = 64
"""Requests that a replica may hold: they stand in its own line, where the steps of long work let
short work go first."""
TARGET = 2.0
"""Requests per replica at which there are enough replicas."""
STORE = 80 * MEGABYTE  # of Ray's object store, about the least that it takes
log = logging.getLogger("convscope")


@dataclass(frozen=True)
class Fleet:
    """How many replicas of what.

    Attributes:
        least, most: how many replicas, 1 or more; between these their number follows the load.
        gpus: of this machine; 0 where the replicas run on CPUs.
        threads: of PyTorch in each replica.
    """

    least: int
    most: int
    gpus: int
    threads: int

    @classmethod
    def of_machine(cls, cores: int, gpus: int) -> Fleet:
        """One replica for each GPU, else one for each core; the environment may say otherwise.

        Raises:
            UserError: more replicas are to be there at the least than at the most.
        """
        most = number(MOST, max(gpus or cores, number(LEAST, 1)))
        least = number(LEAST, most)
        if least > most:
            raise UserError(
                f"{LEAST} is {least}, which is more than {MOST} with {most}; raise the second."
            )
        return cls(least, most, gpus, number(THREADS, max(1, cores // most)))


def application(fleet: Fleet, token: str, device: str = "auto") -> Any:
    """What Ray Serve runs.

    Args:
        fleet: how many replicas.
        token: as of ``host.refusal``.
    """
    from ray import serve

    options: dict[str, Any] = {
        "num_gpus": min(1.0, fleet.gpus / fleet.most),
        "num_cpus": 0,  # the number of replicas is told; Ray shall not count cores besides
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": str(fleet.threads)}},
    }
    scaling = {
        "min_replicas": fleet.least,
        "max_replicas": fleet.most,
        "target_ongoing_requests": TARGET,
        "upscale_delay_s": 5,  # a hall comes all at once
        "downscale_delay_s": 300,
    }
    deployment = serve.deployment(
        name="Networks",
        ray_actor_options=options,
        max_ongoing_requests=ONGOING,
        autoscaling_config=scaling,
        health_check_period_s=5,
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=10,
    )
    return deployment(Networks).bind(fleet.most, fleet.threads, token, device)


class Networks:
    """A replica.

    Args:
        most: how many replicas there may be.
        threads: of PyTorch.
        token: as of ``host.refusal``.
    """

    def __init__(self, most: int, threads: int, token: str, device: str) -> None:
        import torch

        from vision_core.serving.service import Service

        torch.set_num_threads(threads)
        self._service = Service(device, most)
        self._token = token
        self._pool = ThreadPoolExecutor(ONGOING, "answers")

    async def __call__(self, request: Any) -> Any:
        """Answer a request of HTTP; see ``host``."""
        from starlette.responses import PlainTextResponse, StreamingResponse

        from vision_core.serving.host import refusal

        headers = request.headers
        if request.method != "POST":
            return PlainTextResponse("nothing here", 404)
        length = headers.get("content-length")
        refused = refusal(headers.get("authorization", ""), length, self._token)
        if refused is not None:
            return PlainTextResponse(refused[1], refused[0])
        body = await request.body()
        return StreamingResponse(self._pieces(body), media_type="application/octet-stream")

    async def _pieces(self, body: bytes) -> AsyncIterator[bytes]:
        """The answer's pieces, each made in a thread; who leaves stops the work."""
        from vision_core.serving.host import framed

        answer = self._service.answer(body)
        pieces = framed(answer)
        step: asyncio.Future[bytes | None] | None = None
        try:
            while True:
                step = asyncio.get_running_loop().run_in_executor(self._pool, next, pieces, None)
                piece = await asyncio.shield(step)
                if piece is None:
                    return
                yield piece
        finally:
            if step is None or step.done():
                answer.close()
            else:  # who asked left while a step was being made
                step.add_done_callback(lambda _: answer.close())


def found() -> tuple[int, int]:
    """Cores and GPUs that Ray knows, after ``join``."""
    import ray

    resources = ray.cluster_resources()
    return max(1, int(resources.get("CPU", 1))), int(resources.get("GPU", 0))


def join() -> None:
    """Start Ray on this machine, or join the cluster whose address ``RAY_ADDRESS`` gives.

    Raises:
        UserError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ["RAY_SERVE_ENABLE_HA_PROXY"] = "0"  # it would listen on every interface
    try:
        import ray
    except ModuleNotFoundError:
        raise UserError(
            "Ray is not installed; make serve installs it, and --without-ray starts one process "
            "that needs none."
        ) from None
    if os.environ.get("RAY_ADDRESS"):
        ray.init(logging_level=logging.ERROR, log_to_driver=False)
        return
    ray.init(
        include_dashboard=False,
        object_store_memory=STORE,
        logging_level=logging.ERROR,
        log_to_driver=False,  # Ray keeps the logs of its processes in a folder of its own
    )


def start(fleet: Fleet, host: str, port: int, token: str, device: str) -> None:
    """Start the replicas; returns when they answer. ``join`` comes before it.

    Args:
        fleet: how many replicas.
        host, port: where to listen.
        token: as of ``host.refusal``.
    """
    from ray import serve

    quiet = {"enable_access_log": False, "log_level": "WARNING"}
    serve.start(http_options={"host": host, "port": port}, logging_config=quiet)
    serve.run(application(fleet, token, device), name=NAME, route_prefix="/", logging_config=quiet)


def stop() -> None:
    """End the replicas and leave Ray; a cluster goes on without them."""
    import ray
    from ray import serve

    serve.shutdown()
    ray.shutdown()
