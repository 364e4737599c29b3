"""Free photos that come with the dependencies; nothing is ever downloaded."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from vision_core.errors import UserError
from vision_core.images import Photo, decode


@dataclass(frozen=True)
class Sample:
    """A photo inside an installed package.

    Attributes:
        name: what the user picks.
        title: a line below the picture.
        credit: who made it and under which terms.
        package: the package that ships it.
        path: where in the package.
    """

    name: str
    title: str
    credit: str
    package: str
    path: str

    @property
    def file(self) -> Path | None:
        """Where it lies, or ``None`` where the package or the file is missing."""
        # find_spec does not import the package: scikit-image alone takes half a second.
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (file := Path(folder) / self.path).is_file():
                return file
        return None


_FLICKR = "Flickr, CC BY 2.0, distributed with scikit-learn"
SAMPLES: tuple[Sample, ...] = (
    Sample(
        "cat",
        "Chelsea the cat",
        "Stefan van der Walt, CC0, distributed with scikit-image",
        "skimage",
        "data/chelsea.png",
    ),
    Sample(
        "astronaut",
        "Astronaut Eileen Collins",
        "NASA, public domain, distributed with scikit-image",
        "skimage",
        "data/astronaut.png",
    ),
    Sample(
        "grace_hopper",
        "Rear Admiral Grace Hopper",
        "United States Navy, public domain, distributed with Matplotlib",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
    ),
    Sample(
        "motorcycle",
        "Motorcycle in a garage",
        "Middlebury Stereo 2014, CC0, distributed with scikit-image",
        "skimage",
        "data/motorcycle_left.png",
    ),
    Sample(
        "coffee",
        "Cup of coffee",
        "Rachel Michetti, CC0, distributed with scikit-image",
        "skimage",
        "data/coffee.png",
    ),
    Sample(
        "china",
        "Chinese temple",
        f"danielbuechele, {_FLICKR}",
        "sklearn",
        "datasets/images/china.jpg",
    ),
    Sample("flower", "Dahlia", f"vultilion, {_FLICKR}", "sklearn", "datasets/images/flower.jpg"),
)


@functools.cache
def names() -> tuple[str, ...]:
    """The samples whose files are installed."""
    return tuple(s.name for s in SAMPLES if s.file is not None)


def info(name: str) -> Sample:
    """Title and credit of a sample.

    Raises:
        UserError: there is no such sample.
    """
    for candidate in SAMPLES:
        if candidate.name == name:
            return candidate
    raise UserError(f"There is no sample photo called {name!r}; choose {', '.join(names())}.")


@functools.cache
def sample(name: str) -> Photo:
    """A sample photo, decoded once.

    Raises:
        UserError: there is no such sample, or the package that ships it is not installed.
    """
    entry = info(name)
    if (file := entry.file) is None:
        raise UserError(
            f"The sample photo {name!r} comes with {entry.package}, which is not installed; "
            f"run pip install -r requirements.txt."
        )
    return decode(file.read_bytes(), f"{entry.name}{file.suffix}")
