"""Maps that are still growing, as plain pictures where the chart will stand.

A chart is built anew by the browser whenever its data change: it would flicker at each redrawing.
Pictures in the chart's layout take its place until all maps are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Still:
    """One picture.

    Attributes:
        title: what stands above it.
        note: below the title in small type.
        url: of the picture; empty where there is none yet.
    """

    title: str
    note: str = ""
    url: str = ""


LOADER = "chart_loader"
"""Key of a chart that nobody sees. The browser loads its charts when the first one comes; this one
comes while the maps grow, so that they need not give way to a chart that is not there yet."""
_HIDDEN = f"<style>.st-key-{LOADER} {{ display: none }}</style>"


def grid(shown: Sequence[Still], columns: int, height: int) -> str:
    """Pictures beside each other as HTML, where ``figures.saliency.panels`` puts them.

    Args:
        shown: at least one.
        columns: pictures in a row.
        height: of a row, pixels, from which the share of its title is reckoned.
    """
    rows = -(-len(shown) // columns)
    gap = 100 * min(62 / (height * rows), 0.5 / rows)  # percent of what the margins leave
    cells = "".join(_cell(still) for still in shown)
    return (
        f"{_HIDDEN}<div data-stills='{len(shown)}' style='display: grid; box-sizing: border-box; "
        f"height: var(--tall, 400px); padding: 34px 0 4px; gap: {gap:.2f}% 2%; "
        f"grid-template: repeat({rows}, minmax(0, 1fr)) / repeat({columns}, minmax(0, 1fr))'>"
        f"{cells}</div>"
    )


def _cell(still: Still) -> str:
    picture = (
        f"<img src='{still.url}' alt='{escape(still.title)}' "
        "style='width: 100%; height: 100%; object-fit: contain; object-position: center top; "
        "display: block'>"
        if still.url
        else "<div style='height: 100%; border: 1px dashed; opacity: 0.35; box-sizing: border-box'>"
        "</div>"
    )
    return (
        "<div style='position: relative; min-height: 0'>"
        "<div style='position: absolute; bottom: calc(100% - 2px); left: 0; right: 0; "
        "text-align: center; opacity: 0.6; font-size: 16px; line-height: 17px; "
        "white-space: nowrap'>"
        f"{escape(still.title)}<br><span style='font-size: 11px'>{escape(still.note)}</span></div>"
        f"{picture}</div>"
    )


def progress(words: str, share: float) -> str:
    """A line on how far the work is, for the end of an element's HTML.

    It lies in the space below that element, so that nothing moves when it comes and goes.

    Args:
        words: how far it is.
        share: from 0 to 1.
    """
    far = f"{100 * share:.0f}%"
    return (
        f"<span role='progressbar' aria-valuemin='0' aria-valuemax='100' "
        f"aria-valuenow='{100 * share:.0f}' aria-label='{escape(words)}' "
        "style='position: absolute; top: 100%; left: 0; right: 0; height: 0.9rem; "
        "line-height: 0.9rem; font-size: 0.8rem; padding-left: 0.3rem; white-space: nowrap; "
        "overflow: hidden; border-radius: 3px; "
        f"background: linear-gradient(to right, #0072B240 {far}, #8882 {far})'>"
        f"{escape(words)}</span>"
    )
