"""The picture in docs is what `show` draws today of what it was drawn from."""

import dataclasses
import json
import re
import typing
from pathlib import Path
from typing import Any

from s2st_interleave.show import terminal
from s2st_interleave.show.drawing import document
from s2st_interleave.show.picture import Picture

DOCS = Path(__file__).resolve().parents[2] / "docs"


def restored(hint: Any, value: Any) -> Any:
    """A dataclass, or a tuple of them, from JSON."""
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{k: restored(hints[k], v) for k, v in value.items()})
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)
        kinds = [inner[0]] * len(value) if inner[-1] is ... else inner
        return tuple(restored(k, v) for k, v in zip(kinds, value, strict=True))
    return value


def committed() -> Picture:
    text = (DOCS / "pictures" / "show.json").read_text("utf-8")
    return restored(Picture, json.loads(text))


def test_svg_is_drawn_from_its_json():
    """If this fails: docs/showing.md has the command that draws it anew."""
    assert (DOCS / "pictures" / "show.svg").read_text("utf-8") == document(committed())


def test_the_page_shows_the_text_of_the_same_picture_and_names_it():
    page, shown = (DOCS / "showing.md").read_text("utf-8"), committed()
    assert terminal.drawing(shown, 100, has_color=False) in page
    assert f"show {shown.id} --step {shown.step}" in page
    assert re.search(r"git `[0-9a-f]{7,}`", page)
