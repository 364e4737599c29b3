"""What stands in the address bar, and what a browser that is behind may still have there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

Address = dict[str, str]


@dataclass
class Addresses:
    """The addresses of a session.

    A run says its address last, when the browser shows already what else it said. Whatever is
    moved in between comes with an earlier address, which nobody asks for.

    Attributes:
        now: what stands in the address bar, as last written or read.
        before: what was written earlier; empty once the browser has shown the latest.
        field_set: whether a field was set otherwise than by its widget since the last one.
    """

    now: Address = field(default_factory=dict)
    before: list[Address] = field(default_factory=list)
    field_set: bool = False

    def written(self, address: Address) -> None:
        """A run ends with an address."""
        self.field_set = False
        if address != self.now:
            self.before.append(self.now)
            self.now = address

    def moved(self, kept: Mapping[str, tuple[Any, Any]], forgotten: Collection[str]) -> bool:
        """Whether a run is because something was moved that sets a field.

        Args:
            kept: the values of the last run by name, and what goes with them.
            forgotten: names whose value in the session state counts no more.
        """
        counted = (name for name in kept if name not in forgotten)
        values = ((st.session_state.get(name), kept[name][0]) for name in counted)
        return self.field_set or any(now is not None and now != was for now, was in values)

    def follow(self, shown: Address, moved: bool) -> bool:
        """Take what the browser shows; whether it asks for another view: a link, or Back.

        Args:
            shown: what the browser has in its address bar.
            moved: whether something was moved, and the browser may be behind.
        """
        if not shown or (moved and shown in self.before):
            return False
        elsewhere = shown != self.now
        self.now, self.before = shown, []
        return elsewhere
