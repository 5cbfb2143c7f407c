"""A picture as SVG: of any width, alone for slides, or within a page."""

from xml.etree import ElementTree as ET

from s2st_interleave.show import curve, time_lines, token_rows
from s2st_interleave.show.glyphs import legal
from s2st_interleave.show.glyphs import width as text_width
from s2st_interleave.show.picture import Picture
from s2st_interleave.show.style import SANS, STYLE, box, node, words

WIDE, NARROW = 960.0, 400.0
TWO_COLUMNS = 700.0  # from this width on the curve stands beside the head
LEGEND = (
    ("unit2", "a unit (shade: which)"),
    ("text", "text in place of units"),
    ("gone", "units that are not read"),
    ("plain", "always text"),
    ("given", "given: no loss"),
    ("learned", "predicted: with a loss"),
)


def document(picture: Picture, width: float = WIDE) -> str:
    """An SVG file, light or dark as the reader prefers it."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element(picture, width)}\n'


def element(picture: Picture, width: float, *, is_alone: bool = True) -> str:
    """The element <svg>. If it is not alone, the page around it has its STYLE and title."""
    svg = ET.Element("svg", {"class": "s2st", "xmlns": "http://www.w3.org/2000/svg"})
    svg.set("role", "img")
    svg.set("font-family", SANS)
    name = legal(f"Utterance {picture.id} at step {picture.step}")
    if is_alone:
        svg.set("aria-labelledby", "s2st-title s2st-about")
        node(svg, "title", said=name, id="s2st-title")
        node(svg, "desc", said=picture.about, id="s2st-about")
        node(svg, "style", said=STYLE)
    else:
        svg.set("aria-label", legal(f"{name}. {picture.about}"))
    paper = box(svg, 0.5, 0.5, width - 1, 0, "paper", rx=8)
    height = _draw(svg, picture, width)
    paper.set("height", f"{height - 1:.1f}")
    svg.set("viewBox", f"0 0 {width:g} {height:g}")
    if is_alone:
        svg.set("width", f"{width:g}")
        svg.set("height", f"{height:g}")
    return ET.tostring(svg, encoding="unicode")


def _draw(svg: ET.Element, picture: Picture, width: float) -> float:
    """Draw all below each other; return the height."""
    margin = 22.0 if width >= TWO_COLUMNS else 14.0
    room = width - 2 * margin
    y = _head(svg, picture, margin, room)
    scale = time_lines.scale_of(picture.tracks, room)
    for track in picture.tracks:
        y = _about(svg, track.title, track.about, margin, y, room)
        y = time_lines.draw(svg, track, margin, y, room, scale) + 8
    y = _about(svg, "The LLM reads", picture.counts, margin, y, room)
    if room >= token_rows.NARROW:
        words(svg, margin + room, y - 9, "tokens", 11, "dim", anchor="end")
    y = token_rows.draw(svg, picture.rows, margin, y, room)
    return round(_legend(svg, margin, y + 4, room) + 12)


def _head(svg: ET.Element, picture: Picture, x: float, room: float) -> float:
    is_wide = room >= TWO_COLUMNS - 44
    chart = min(room, 300.0) if is_wide else room
    left = room - chart - 20 if is_wide else room
    wanted = text_width(picture.id, 19)
    size = max(11.0, min(19.0, 19.0 * left / wanted)) if wanted else 19.0
    squeezed = left if text_width(picture.id, size) > left else 0.0
    words(svg, x, 36, picture.id, size, room=squeezed, font_weight=700)
    y = 58.0
    for line in _wrapped(picture.place, 13, left):
        words(svg, x, y, line, 13, "dim")
        y += 17
    words(svg, x, y + 13, f"text ratio {picture.p}", 19, font_weight=600)
    y += 33
    for line in _wrapped(picture.is_read, 12, left):
        words(svg, x, y, line, 12, "dim")
        y += 16
    curve.draw(svg, picture, x + room - chart, 14 if is_wide else y, chart)
    return max(y, 14 + curve.HEIGHT) + 6 if is_wide else y + curve.HEIGHT + 6


def _about(
    svg: ET.Element, title: str, said: str, x: float, y: float, room: float
) -> float:
    """A heading, and behind or below it what there is to say; returns the y below."""
    words(svg, x, y + 16, title, 14.5, font_weight=700)
    after = text_width(title, 15) + 14
    if after + text_width(said, 12) <= room:
        words(svg, x + after, y + 16, said, 12, "dim")
        return y + 27
    y += 32
    for line in _wrapped(said, 12, room):
        words(svg, x, y, line, 12, "dim")
        y += 16
    return y - 5


def _legend(svg: ET.Element, x: float, y: float, room: float) -> float:
    at = x
    for look, said in LEGEND:
        needed = 20 + text_width(said, 11) + 14
        if at > x and at + needed > x + room:
            at, y = x, y + 18
        is_bar = look in ("given", "learned")
        box(svg, at, y + 2, 4 if is_bar else 14, 12, look, rx=2)
        words(svg, at + (10 if is_bar else 20), y + 12, said, 11, "dim")
        at += needed - (10 if is_bar else 0)
    return y + 18


def _wrapped(said: str, size: float, room: float) -> list[str]:
    lines, line = [], ""
    for word in said.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size) > room:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]
