"""Colours and fonts of the SVG, and its elements.

Colours of light pages stand in attributes, which every program for slides knows; those of
dark ones in a style sheet, which browsers take where the reader prefers dark.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from s2st_interleave.show.glyphs import is_right_to_left, legal

SANS = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"

# Name -> attribute -> colours of light and of dark pages.
LOOKS = {
    "paper": {"fill": ("#ffffff", "#0d1117"), "stroke": ("#d5dae1", "#30363d")},
    "ink": {"fill": ("#1b1f24", "#e6edf3")},
    "dim": {"fill": ("#57606a", "#9aa4b0")},
    "line": {"stroke": ("#8c959f", "#6e7681")},
    "word": {"fill": ("#ffffff", "#161b22"), "stroke": ("#8fb4dd", "#3f6fa3")},
    "text": {"fill": ("#ffc857", "#d99a1c"), "stroke": ("#c98a00", "#f2b632")},
    "plain": {"fill": ("#eef1f4", "#21262d"), "stroke": ("#afb8c1", "#484f58")},
    "on_text": {"fill": ("#2b1d00", "#1a1200")},
    "gone": {"fill": ("#fff0cc", "#3a2c0c")},
    "over": {"stroke": ("#c98a00", "#d99a1c")},
    "unit0": {"fill": ("#cfe2f7", "#1d3f63")},
    "unit1": {"fill": ("#b3d2f2", "#265180")},
    "unit2": {"fill": ("#98c1ec", "#2f639c")},
    "unit3": {"fill": ("#7db0e5", "#336dab")},
    "number": {"fill": ("#0b2540", "#e3f0ff")},
    "given": {"fill": ("#8c959f", "#6e7681")},
    "learned": {"fill": ("#1a7f37", "#3fb950")},
    "learned_ink": {"fill": ("#116329", "#56d364")},
    "curve": {"stroke": ("#1b1f24", "#e6edf3")},
    "dot": {"fill": ("#57606a", "#9aa4b0")},
    "here": {"fill": ("#cf222e", "#ff7b72"), "stroke": ("#cf222e", "#ff7b72")},
}
NUM_SHADES = 4


def _dark_rules() -> str:
    rules = []
    for name, look in LOOKS.items():
        body = ";".join(f"{key}:{dark}" for key, (_, dark) in look.items())
        rules.append(f".s2st .{name}{{{body}}}")
    return "".join(rules)


# Printed pages are light.
STYLE = f"@media screen and (prefers-color-scheme:dark){{{_dark_rules()}}}"


def shade(unit: int) -> str:
    """The look of a unit: equal units are alike, and most different ones differ."""
    return f"unit{unit % NUM_SHADES}"


def _written(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def node(
    parent: ET.Element, tag: str, look: str = "", said: str = "", **attributes: object
) -> ET.Element:
    """A new element; `said` is its text. `_` in names of attributes stands for `-`."""
    colours = {key: light for key, (light, _) in LOOKS.get(look, {}).items()}
    given = {k.rstrip("_").replace("_", "-"): v for k, v in attributes.items()}
    element = ET.SubElement(parent, tag, {"class": look} if look else {})
    for key, value in (colours | given).items():
        element.set(key, _written(value))
    if said:
        element.text = legal(said)
    return element


def words(
    parent: ET.Element,
    x: float,
    y: float,
    said: str,
    size: float,
    look: str = "ink",
    *,
    anchor: str = "start",
    room: float = 0.0,
    **attributes: object,
) -> ET.Element:
    """A text on its baseline at (x, y), in the direction of its first letter.

    `anchor` start is the left edge, whatever the direction. A text is squeezed into
    `room`, if that is not 0. Nothing around a text changes the order of its letters.
    """
    if is_right_to_left(said):
        attributes |= {"direction": "rtl", "unicode_bidi": "isolate"}
        anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
    if anchor != "start":
        attributes["text_anchor"] = anchor
    if room:
        attributes |= {"textLength": room, "lengthAdjust": "spacingAndGlyphs"}
    return node(parent, "text", look, said, x=x, y=y, font_size=size, **attributes)


def box(
    parent: ET.Element,
    x: float,
    y: float,
    width: float,
    height: float,
    look: str,
    **attributes: object,
) -> ET.Element:
    """A rectangle."""
    size = {"width": width, "height": height}
    return node(parent, "rect", look, "", x=x, y=y, **size, **attributes)


def cells(
    parent: ET.Element,
    units: Sequence[int],
    x: float,
    y: float,
    width: float,
    height: float,
) -> None:
    """Units side by side, each a rectangle of its shade; `width` is a unit's."""
    inner = max(0.6, width - 0.8)
    paths: dict[str, str] = {}
    for place, unit in enumerate(units):
        d = f"M{x + place * width:.1f} {y:.1f}h{inner:.1f}v{height:g}h-{inner:.1f}z"
        paths[shade(unit)] = paths.get(shade(unit), "") + d
    for look, d in paths.items():
        node(parent, "path", look, d=d)
