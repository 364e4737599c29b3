"""When a page of Streamlit is done: every run that it asked its server for has been answered.

``data-test-script-state`` alone does not tell: between a press and the word of the server that a
run has begun, it says that nothing runs. The page's own messages fill that gap.
"""

from __future__ import annotations

from playwright.sync_api import Page

LISTEN = """(() => {
  const RERUN = 0x5a, HASH = 0x0a, METADATA = 0x12, FINISHED = 0x30, EARLY = 2;
  const runs = globalThis.runsOfTests = { heard: true, count: 0, asked: 0, ended: 0 };
  const known = new WeakSet(), send = WebSocket.prototype.send;
  const hear = ({ data }) => {
    if (!(data instanceof ArrayBuffer) || data.byteLength > 500) return;
    const bytes = new Uint8Array(data);
    let at = 0;
    while (bytes[at] === HASH || bytes[at] === METADATA) {
      let length = 0, shift = 0;
      do { length |= (bytes[++at] & 127) << shift; shift += 7; } while (bytes[at] & 128);
      at += 1 + length;
    }
    if (bytes[at] === FINISHED && bytes[at + 1] !== EARLY) runs.ended = ++runs.count;
  };
  WebSocket.prototype.send = function (data) {
    if (!known.has(this)) this.addEventListener("message", hear);
    known.add(this);
    if (data instanceof Uint8Array && data[0] === RERUN) runs.asked = ++runs.count;
    return send.call(this, data);
  };
})()"""
"""Runs in a page before its own scripts. The numbers are those of fields in Streamlit's
``BackMsg`` (``rerun_script``) and ``ForwardMsg`` (``hash``, ``metadata``, ``script_finished``)."""

_IDLE = """([heard, unheard]) => {
  const app = document.querySelector("[data-testid=stApp]"), runs = globalThis.runsOfTests;
  const busy = "[data-stale=true], " + ["StatusWidget", "Spinner", "Skeleton"]
    .map(name => `[data-testid=st${name}]`).join();  // a skeleton waits for its own script
  const idle = app?.dataset.testScriptState === "notRunning" && !document.querySelector(busy)
    && (!runs.heard || runs.ended > runs.asked);
  runs.still = idle ? runs.still + 1 : 0;
  return runs.still > (runs.heard ? heard : unheard);
}"""
_FRAMES = (3, 20)  # what the last message brought is drawn after one or two; without messages


def idle(page: Page, timeout: float = 120_000) -> None:
    """Wait until the server has answered everything and the answer is drawn.

    Args:
        page: best of a tab of these tests, which has ``LISTEN``.
        timeout: milliseconds.
    """
    page.evaluate("() => { (globalThis.runsOfTests ??= {}).still = 0; }")
    page.wait_for_function(_IDLE, arg=_FRAMES, timeout=timeout)


def redrawn(page: Page, count: int = 2) -> None:
    """Wait until the window was drawn anew; events of scrolling and of sizes come with a frame."""
    page.evaluate(
        """async count => { while (count-- > 0)
          await new Promise(drawn => requestAnimationFrame(drawn)); }""",
        count,
    )
