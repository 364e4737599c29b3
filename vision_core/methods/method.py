"""What an attribution method is to those who offer it: its name, its needs, its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

Need = Literal["target", "layer", "relu"]
PER_INPUT = "score per unit of input"
SCORE = "score"


@dataclass(frozen=True)
class Setting:
    """One number or word that a method takes; controls and options are drawn from it.

    Attributes:
        name: of the keyword, and of the option on the command line.
        title: what stands beside its control.
        kind: ``int``, ``float``, ``str`` or ``bool``.
        default: its value where nothing is said; ``None`` lets the method choose.
        least, most: the range of its control; the method itself may allow more.
        step: of its control.
        choices: of a word.
        on_page: its value where somebody waits for it; ``None`` keeps it off the page.
        in_input: it counts pixels of the input, and ends at the shorter side of the input.
        option: of a ``bool``: the option that turns the default over.
        label: of its control, where that serves more than the method.
    """

    name: str
    title: str
    kind: type
    default: Any
    least: float = 0
    most: float = 0
    step: float = 1
    choices: tuple[str, ...] = ()
    on_page: Any = None
    in_input: bool = False
    option: str = ""
    label: str = ""

    def check(self, value: Any) -> None:
        """Refuse a word that is none of the choices.

        Raises:
            UserError: naming it.
        """
        if self.choices and value not in self.choices:
            known = ", ".join(self.choices)
            raise UserError(f"There is no {self.name} {value!r}; choose one of {known}.")


@dataclass(frozen=True)
class Method:
    """An attribution method.

    Attributes:
        name: as on the command line and in the address bar.
        title: as on the page.
        about: one sentence for a reader.
        source: the paper.
        unit: what its values measure; only maps of one unit share a scale.
        run: makes the map: takes a question and the given settings, yields estimates, each better
            than the one before. It imports PyTorch when it runs, not before.
        needs: ``target``: it depends on what is explained; ``layer``: it gives a map for each of
            one or several layers, which it takes as ``layers``; ``relu``: it means nothing on a
            network that calls no ReLU.
        settings: what else it takes.
        in_parts: it takes many passes, and its first estimate tells how many.
        order: its place among the methods; equal ones go by name.
    """

    name: str
    title: str
    about: str
    source: str
    unit: str
    run: Callable[[Question, Mapping[str, Any]], Iterator[Estimate]]
    needs: tuple[Need, ...] = ("target",)
    settings: tuple[Setting, ...] = ()
    in_parts: bool = False
    order: int = 1000

    @property
    def layered(self) -> bool:
        """Whether it gives a map for each of one or several layers."""
        return "layer" in self.needs

    @property
    def takes(self) -> tuple[str, ...]:
        """Names of all that it can be told."""
        own = tuple(setting.name for setting in self.settings)
        return ("layers", *own) if self.layered else own

    @property
    def on_page(self) -> tuple[Setting, ...]:
        """The settings that the page offers."""
        return tuple(s for s in self.settings if s.on_page is not None)

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse what the method does not take, and words that are none of the choices.

        Raises:
            UserError: naming the first such setting.
        """
        for name in given:
            if name not in self.takes:
                takes = f"it takes {', '.join(self.takes)}" if self.takes else "it takes none"
                raise UserError(f"The method {self.name} has no setting {name!r}; {takes}.")
        for setting in self.settings:
            if setting.name in given:
                setting.check(given[setting.name])
