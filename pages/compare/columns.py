"""One column of a comparison: title, counts, what it cost, or the sentence in place of all that."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from pages.compare.sides import Side
from pages.shared import state
from pages.shared.plain import plain as as_text
from pages.shared.plain import sentence
from vision_core.comparison.boxes import BoxComparison
from vision_core.comparison.column import Column
from vision_core.comparison.truth import Judged
from vision_core.inference import DetectionTrace, predict
from vision_core.models import Card
from vision_core.records import Detections, Prediction, Selection


def on_stage(count: int) -> str:
    """Height of a picture for a lecture hall: the sliders and counts stay in sight."""
    return "calc(50vh - 11rem)" if count == 4 else "calc(100vh - 19rem)"


@dataclasses.dataclass(frozen=True, eq=False)
class JudgedColumn:
    """A detector's column: what it keeps at its thresholds, and how that is judged."""

    side: Side
    column: Column
    made: Prediction
    judged: Judged | None

    @property
    def trace(self) -> DetectionTrace:
        """What the network said."""
        assert isinstance(self.made.trace, DetectionTrace)
        return self.made.trace

    @property
    def selection(self) -> Selection:
        """What its thresholds keep."""
        assert self.made.selection is not None
        return self.made.selection

    @property
    def kept(self) -> Detections:
        """The kept detections."""
        return self.selection.detections


Made = Mapping[tuple[str, str], BoxComparison]


def places(count: int) -> list[st.delta_generator.DeltaGenerator]:
    """Places for models beside each other: four stand as two by two."""
    across = 2 if count == 4 else count
    return [place for _ in range(count // across) for place in st.columns(across, gap="small")]


def multiply_adds(card: Card) -> int:
    """Of one pass over a photo of the usual size; remembered for each model."""
    from vision_core.models.anatomy import anatomy

    return anatomy(card).multiply_adds


def plain(sides: Sequence[Side]) -> dict[str, Column]:
    """The columns of models that select nothing, by letter."""
    return {s.letter: column(s, predict(s.trace)) for s in sides if s.trace is not None}


def column(side: Side, made: Prediction) -> Column:
    """The column of a model that said something."""
    return Column(
        side.card,
        made,
        title=side.name,
        random=side.random,
        multiply_adds=multiply_adds(side.card),
        measured=side.timing,
    )


def head(side: Side) -> None:
    """The title over a column."""
    st.markdown(f"**{side.title}**")


def say_error(side: Side) -> None:
    """The sentence in place of a result, and the way out where there is one."""
    st.warning(sentence(side.error), icon=":material/report:")
    if side.offer is not None:
        st.button(
            f"Use {side.offer.title}",
            key=f"instead_{side.letter}",
            width="stretch",
            on_click=state.put,
            args=(f"model_{side.letter}", side.offer.name),
        )


def errors_only(sides: Sequence[Side]) -> None:
    """All columns, none of which has a result."""
    for place, side in zip(places(len(sides)), sides, strict=True):
        with place:
            head(side)
            say_error(side)


def counts(column: Column, judged: Judged | None) -> None:
    """How many detections of which class, and how they are judged where a truth is known."""
    assert column.selection is not None
    found = column.selection.detections
    named = Counter(found.labels).most_common(4)
    rest = len(found) - sum(n for _, n in named)
    words = ", ".join(f"{n} {as_text(label)}" for label, n in named)
    words += f", {rest} others" if rest else ""
    plural = "" if len(found) == 1 else "s"
    st.markdown(f"{len(found)} detection{plural}" + (f": {words}" if len(found) else ""))
    if judged is not None:
        hits = int((judged.hit >= 0).sum())
        st.markdown(
            f"**{hits}** true, **{len(judged.hit) - hits}** false, **{len(judged.missed)}** missed;"
            f" precision {judged.precision:.2f}, recall {judged.recall:.2f}, F1 {judged.f1:.2f}"
        )


def cost(column: Column) -> None:
    """Time, parameters, multiply-adds and size in one line."""
    assert column.trace is not None
    spent = sum(column.stages.values())
    parts = [
        f"{spent:,.0f} ms on {column.trace.info.device} ({column.how_timed})",
        f"{column.card.parameters / 1e6:,.2f} M parameters",
    ]
    if column.multiply_adds:
        parts.append(f"{column.multiply_adds / 1e9:,.2f} G multiply-adds")
    parts.append(f"{column.card.bytes / 1e6:,.1f} MB")
    st.caption(" · ".join(parts))


def partners(shown: Sequence[JudgedColumn], made: Made) -> dict[str, int]:
    """The picked box and its partner in every other column: ids by letter."""
    text = str(st.session_state["picked"])
    ids = {s.side.letter: s.kept.candidate.tolist() for s in shown}
    letter = text[:1]
    if letter not in ids or not text[1:].isdigit() or int(text[1:]) not in ids[letter]:
        return {}
    row = ids[letter].index(int(text[1:]))
    found = {letter: int(text[1:])}
    for (a, b), comparison in made.items():
        if letter not in (a, b):
            continue
        other = b if letter == a else a
        for pair in comparison.pairs:
            mine, theirs = (pair.a, pair.b) if letter == a else (pair.b, pair.a)
            if mine == row and theirs is not None:
                found[other] = ids[other][theirs]
    return found
