"""``serve``: start the computing service, which app servers ask in place of running networks."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from ipaddress import ip_address
from typing import Any

from vision_core.errors import UserError

TOKEN = "CONVSCOPE_SERVE_TOKEN"


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "serve", help="start the service that runs the networks for app servers"
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8600, help="port (default 8600)")
    parser.add_argument(
        "--without-ray", action="store_true", help="one process of its own, without Ray Serve"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped by SIGINT or SIGTERM.

    Raises:
        UserError: the port cannot be one, is taken, or Ray is not installed.
    """
    if not 1 <= args.port <= 65535:
        raise UserError(f"A port lies between 1 and 65535, not {args.port}.")
    token = os.environ.get(TOKEN, "")
    if not token and not _of_this_machine(args.host):
        print(f"Everybody who reaches {args.host} may use this service; {TOKEN} can change that.")
    over = threading.Event()
    if args.without_ray:
        _alone(args, token, over)
    else:
        _fleet(args, token, over)
    return 0


def _alone(args: argparse.Namespace, token: str, over: threading.Event) -> None:
    from vision_core.serving.host import Host
    from vision_core.serving.service import Service

    try:
        host = Host(Service(args.device), (args.host, args.port), token)
    except OSError as error:
        raise UserError(
            f"{args.host}:{args.port} cannot be listened at ({error.strerror}); choose another "
            "--port."
        ) from None
    with host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        _end_by_signal(over)
        _tell(args, "one process")
        over.wait()
        host.shutdown()


def _fleet(args: argparse.Namespace, token: str, over: threading.Event) -> None:
    from vision_core.serving import deployment

    deployment.join()
    fleet = deployment.Fleet.of_machine(*deployment.found())
    try:
        deployment.start(fleet, args.host, args.port, token, args.device)
        _end_by_signal(over)  # after Ray has set its own
        count = f"{fleet.least}" if fleet.least == fleet.most else f"{fleet.least} to {fleet.most}"
        _tell(args, f"{count} replicas, {fleet.threads} threads each, {fleet.gpus} GPUs")
        over.wait()
    finally:
        deployment.stop()


def _end_by_signal(over: threading.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())


def _tell(args: argparse.Namespace, what: str) -> None:
    print(f"The computing service listens at http://{args.host}:{args.port} ({what}).")
    sys.stdout.flush()


def _of_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
