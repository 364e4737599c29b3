"""``walkthrough``: an operator on given numbers, step by step."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import places
from vision_core.cli.output import add_json, json_stream, write_json
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.figures.stage import Stage
    from vision_core.walkthroughs import Walkthrough

# Flag without its dashes -> help. All take JSON, e.g. 2, [2,1], [[1,2],[3,4]], true.
FLAGS = {
    "input": "numbers in nested lists",
    "weight": "of a convolution",
    "kernel": "same as --weight",
    "bias": "a number per output channel",
    "stride": "",
    "padding": "",
    "output_padding": "",
    "dilation": "",
    "groups": "",
    "flip": "true: turn the kernel round",
    "view": "scatter or gather; matrix, forward or transposed",
    "kernel_size": "of pooling",
    "ceil_mode": "true: round sizes up",
    "count_include_pad": "false: leave padding out",
    "grad_output": "gradient of the output",
    "scale_factor": "of unpooling",
    "indices": "switches of max pooling",
    "output_size": "bins of a RoI, or size of unpooling",
    "box": "[x1,y1,x2,y2] in pixels of the photo",
    "spatial_scale": "feature cells per pixel",
    "sampling_ratio": "points of a bin per axis",
    "aligned": "true: take off half a cell",
    "boxes": "lists of [x1,y1,x2,y2]",
    "scores": "a number per box",
    "iou_threshold": "of NMS",
    "input_horizontal": "of corner pooling",
    "corner": "top_left or bottom_right",
    "top_left": "heat map of corners",
    "bottom_right": "heat map of corners",
    "embedding_top_left": "a number for each cell",
    "embedding_bottom_right": "a number for each cell",
    "k": "corners of each kind",
    "distance": "of the embeddings of one object at most",
    "rule": "plain, deconvnet or guided",
    "feature_size": "rows and columns",
    "sizes": "of anchors, pixels",
    "aspect_ratios": "height / width of anchors",
    "truth": "photo to [x,y,w,h] of its true boxes",
    "detections": "photo to [score,x,y,w,h]",
    "whole_pixels": "true: count pixels as the tools of VOC do",
    "matching": "voc or coco",
    "y": "numbers in the size of the down layer's output",
    "filters": "a list of filters over words",
    "filter_bias": "a number per filter",
    "words": "a list of texts",
    "classes": "a list of texts",
}


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "walkthrough", help="show an operator step by step on small numbers"
    )
    parser.add_argument("operator", nargs="?", metavar="OPERATOR", help="see --list")
    parser.add_argument("--list", action="store_true", help="operators, parameters and presets")
    parser.add_argument(
        "--preset", metavar="NAME", help="a ready example; options replace its parts"
    )
    parser.add_argument("--params", metavar="JSON", help="all parameters as one object")
    group = parser.add_argument_group("parameters, as in PyTorch, each in JSON")
    for name, text in FLAGS.items():
        group.add_argument(f"--{name.replace('_', '-')}", metavar="JSON", help=text)
    parser.add_argument("--gif", metavar="FILE", help="all steps as a film, for slides")
    parser.add_argument("--html", metavar="FILE", help="one page to step through, without a server")
    parser.add_argument("--svg-dir", metavar="DIR", help="every step as an SVG file in a folder")
    add_json(parser, bare=False)
    places.writes(parser, "gif")
    places.writes(parser, "html")
    places.writes(parser, "svg_dir", "--svg-dir", folder=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print formula, steps and result; ``--json`` writes all of it."""
    from vision_core.walkthroughs import build

    if args.list:
        return _list(args)
    if args.operator is None:
        raise UserError("Name an operator, or see them all with walkthrough --list.")
    walk = build(args.operator, args.preset, **_given(args))
    pictures = _pictures(args, walk)
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, walk.to_json())
    if args.json != "-":
        lines = [*walk.formula, *(f"{k}. {step.text}" for k, step in enumerate(walk.steps))]
        print("\n".join([*lines, f"result: {json.dumps(walk.plain_result())}", *pictures]))
    return 0


def _pictures(args: argparse.Namespace, walk: Walkthrough) -> list[str]:
    """Write the film, the page and the SVG files that were asked for; a line about each."""
    if args.gif is None and args.svg_dir is None and args.html is None:
        return []
    from vision_core.figures.stage_files import gif, svg_files
    from vision_core.figures.stage_views import stage_of

    stage, said = stage_of(walk), []
    try:
        if args.gif is not None:
            film = gif(stage)
            Path(args.gif).write_bytes(film)
            said.append(f"{args.gif}: {len(stage.timeline)} steps, {len(film) / 1024:.0f} kB")
        if args.html is not None:
            said.append(_save_page(Path(args.html), stage, walk))
        if args.svg_dir is not None:
            folder = Path(args.svg_dir)
            folder.mkdir(parents=True, exist_ok=True)
            count = len(list(svg_files(stage, folder, walk.name)))
            said.append(f"{args.svg_dir}: {count} SVG files")
    except OSError as error:
        raise UserError(
            f"The pictures cannot be written ({error.strerror}); check the path."
        ) from error
    return said


def _save_page(path: Path, stage: Stage, walk: Walkthrough) -> str:
    from vision_core.figures.browser.standalone.pages import walkthrough_html

    text = walkthrough_html(stage, walk.name.replace("_", " ").capitalize(), walk.name)
    path.write_text(text, encoding="utf-8")
    return f"{path}: {len(stage.timeline)} steps, {path.stat().st_size / 1024:.0f} kB"


def _list(args: argparse.Namespace) -> int:
    from vision_core.walkthroughs import OPERATORS, PRESETS, parameters

    records: list[dict[str, Any]] = [
        {
            "name": name,
            "required": [key for key, value in parameters(name).items() if value is ...],
            "defaults": {k: v for k, v in parameters(name).items() if v is not ...},
            "presets": [{"name": p.name, "shows": p.shows} for p in PRESETS[name]],
        }
        for name in OPERATORS
    ]
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, records)
    if args.json != "-":
        for record in records:
            defaults = [f"{k}={json.dumps(v)}" for k, v in record["defaults"].items()]
            print(f"{record['name']}: {', '.join([*record['required'], *defaults])}")
            for each in record["presets"]:
                print(f"    --preset {each['name']}: {each['shows']}")
    return 0


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The parameters of ``--params``, replaced by those that have a flag of their own."""
    found = _parsed(args.params, "params") if args.params is not None else {}
    if not isinstance(found, dict):
        raise UserError("--params takes one JSON object, such as '{\"stride\": 2}'.")
    for name in FLAGS:
        text = getattr(args, name)
        if text is not None:
            # A word needs no quotation marks of JSON inside those of the shell.
            found[name] = (
                text if name in ("view", "corner", "rule", "matching") else _parsed(text, name)
            )
    return found


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        flag = name.replace("_", "-")
        raise UserError(f"--{flag} takes JSON such as [[1,2],[3,4]], not {text[:60]!r}.") from None
