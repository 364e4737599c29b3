"""The image starts the app, and the proxy keeps a browser with its server, under strict headers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from deploy import rehearse
from tests.proxying import ROOT, answering, free_port, proxied


def test_the_image_starts_the_app_from_what_it_copies(tmp_path) -> None:
    image = rehearse.build(tmp_path, free_port(), Path(sys.prefix))
    assert image.here == tmp_path / "app"
    with rehearse.started(image) as address:
        body = urllib.request.urlopen(f"{address}/", timeout=10).read()
        assert b"<title>" in body
    from_image = [sys.executable, "-m", "vision_core", "predict", "assets/samples/cat.png"]
    done = subprocess.run(from_image, cwd=image.here, env=image.environ, capture_output=True)
    assert done.returncode == 0 and b"cat" in done.stdout, done.stderr.decode()[-2000:]


def test_nothing_that_git_does_not_know_gets_into_the_image() -> None:
    known = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    tops = {row.split("/")[0] for row in known.splitlines()}
    let_through = [row[1:] for row in (ROOT / ".dockerignore").read_text().split() if row[0] == "!"]
    assert {name.split("/")[0] for name in let_through} <= tops


def test_compose_gives_the_app_no_rights_that_it_does_not_need() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    app = services["app"]
    assert app["read_only"] and app["cap_drop"] == ["ALL"] and "ports" not in app
    assert "./deploy/Caddyfile:/etc/caddy/Caddyfile:ro" in services["proxy"]["volumes"]
    serve = services["serve"]
    assert serve["read_only"] and serve["cap_drop"] == ["ALL"] and "ports" not in serve
    assert serve["profiles"] == ["serve"], "without the profile nothing changes"
    # Every variable that compose hands on is one that somebody reads.
    read = "".join(
        p.read_text("utf-8")
        for p in [
            ROOT / "deploy" / "Caddyfile",
            *(ROOT / "pages").rglob("*.py"),
            *(ROOT / "vision_core").rglob("*.py"),
        ]
    )
    for service in services.values():
        assert all(name in read for name in service.get("environment", {}))


@pytest.mark.parametrize("file", ["deploy/Caddyfile", "compose.yaml", "Dockerfile"])
def test_tools_that_are_at_hand_accept_the_files(file) -> None:
    words = {
        "deploy/Caddyfile": ["caddy", "validate", "--adapter", "caddyfile", "--config", file],
        "compose.yaml": ["docker-compose", "-f", file, "config", "-q"],
        "Dockerfile": ["hadolint", file],
    }[file]
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not on this machine")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


@pytest.fixture
def proxy(tmp_path):
    """Caddy with the project's file before two servers that answer with their port."""
    ports = [free_port(), free_port()]
    running = [
        subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stderr=subprocess.DEVNULL)
        for port in ports
    ]
    try:
        for port in ports:  # one that is not up yet would be left out for ten seconds
            answering(f"http://127.0.0.1:{port}")
        course = "https://course.example.org"
        with proxied(tmp_path, ports, CONVSCOPE_FRAME_ANCESTORS=course) as address:
            yield address, running
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_the_proxy_keeps_a_browser_with_its_server(proxy) -> None:
    address, running = proxy
    answers = set()
    for _ in range(16):  # new browsers are spread over the servers
        first = urllib.request.urlopen(address)
        body, cookie = first.read(), first.headers["Set-Cookie"].split(";")[0]
        answers.add(body)
        for _ in range(4):  # and each stays where it is
            again = urllib.request.Request(address, headers={"Cookie": cookie})
            assert urllib.request.urlopen(again).read() == body
    assert len(answers) == 2
    running[0].kill()  # its browsers are served by the other one
    running[0].wait()
    again = urllib.request.Request(address, headers={"Cookie": cookie})
    assert urllib.request.urlopen(again).read() in answers


def test_the_proxy_sends_strict_headers_and_keeps_figures_and_large_bodies_out(proxy) -> None:
    address, _ = proxy
    headers = urllib.request.urlopen(address).headers
    assert "frame-ancestors https://course.example.org" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert headers["Server"] is None or "Caddy" not in headers["Server"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/_stcore/metrics")
