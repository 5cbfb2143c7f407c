"""A side in time: words, their units below them, seconds below these, in lines."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from s2st_interleave.show.glyphs import width as text_width
from s2st_interleave.show.picture import Part, Track
from s2st_interleave.show.style import box, cells, node, words

WORD, UNITS, AXIS = 27.0, 19.0, 24.0  # heights
LINE = WORD + UNITS + AXIS
SIZE, SMALLEST = 14.0, 9.0  # font of words
MOST_PX = 230.0  # of a second, where more would only be for the longest words
# Lines end with a word, so that they are not quite full.
SHARES = (1.0, 0.97, 0.94, 0.91, 0.88, 0.85, 0.82, 0.79)
NUMBER = 7.5  # font of a unit's number
TICKS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds apart


@dataclass(frozen=True)
class Line:
    """Parts that stand side by side; a long one may go on in the next line."""

    parts: tuple[Part, ...]

    @property
    def start_sec(self) -> float:
        return self.parts[0].start_sec

    @property
    def end_sec(self) -> float:
        return self.parts[-1].end_sec


@dataclass(frozen=True)
class Scale:
    """Pixels of a second, the seconds of a unit, and whether units have room for numbers."""

    px_per_sec: float
    unit_sec: float
    has_numbers: bool


def scale_of(tracks: Sequence[Track], room: float) -> Scale:
    """One scale for all sides: most words fit above their units, in as few lines as can be."""
    parts = [p for track in tracks for p in track.parts if p.units]
    if not parts:
        return Scale(MOST_PX, 0.0, False)
    longest = max(track.seconds for track in tracks)
    wanted = sorted(
        (text_width(p.word, SIZE) + 8) / (p.end_sec - p.start_sec)
        for p in parts
        if p.word
    )
    most = wanted[int(0.9 * (len(wanted) - 1))] if wanted else MOST_PX
    num_lines = math.ceil(longest * min(most, MOST_PX) / room)
    unit_sec = (parts[0].end_sec - parts[0].start_sec) / len(parts[0].units)
    digits = max(len(str(unit)) for part in parts for unit in part.units)
    needed = text_width("0" * digits, NUMBER) + 1
    scale = Scale(room, 0.0, False)
    for share in SHARES if num_lines > 1 else (1.0,):
        pixels = share * room * num_lines / longest
        scale = Scale(pixels, unit_sec, pixels * unit_sec > needed)
        if all(len(lines(track, scale, room)) <= num_lines for track in tracks):
            break
    return scale


def lines(track: Track, scale: Scale, room: float) -> list[Line]:
    """The parts of a side in lines of `room` pixels or less."""
    made: list[Line] = []
    line: list[Part] = []
    for part in (p for whole in track.parts for p in _pieces(whole, scale, room)):
        seconds = part.end_sec - (line[0] if line else part).start_sec
        if line and seconds * scale.px_per_sec > room + 0.5:
            made.append(Line(tuple(line)))
            line = []
        line.append(part)
    return [*made, Line(tuple(line))] if line else made


def _pieces(part: Part, scale: Scale, room: float) -> Iterator[Part]:
    """The part, or pieces of it that fit into a line; only the first has its word."""
    seconds, count = part.end_sec - part.start_sec, len(part.units)
    num = min(math.ceil(seconds * scale.px_per_sec / room - 1e-6), count)
    if num <= 1:
        yield part
        return
    for k in range(num):
        first, last = k * count // num, (k + 1) * count // num
        yield replace(
            part,
            word="" if k else part.word,
            start_sec=part.start_sec + seconds * first / count,
            end_sec=part.start_sec + seconds * last / count,
            units=part.units[first:last],
        )


def draw(
    parent: ET.Element, track: Track, x: float, y: float, room: float, scale: Scale
) -> float:
    """Draw a side below y; return the y below it."""
    for line in lines(track, scale, room):
        for part in line.parts:
            left = x + (part.start_sec - line.start_sec) * scale.px_per_sec
            _part(parent, part, track.side, left, y, scale)
        _axis(parent, line, x, y + WORD + UNITS, scale)
        y += LINE
    return y


def _part(
    parent: ET.Element, part: Part, side: str, x: float, y: float, scale: Scale
) -> None:
    width = (part.end_sec - part.start_sec) * scale.px_per_sec
    group = node(parent, "g", "part", data_side=side)
    group.set("data-start", f"{part.start_sec:.2f}")
    group.set("data-end", f"{part.end_sec:.2f}")
    node(group, "title", said=part.about)
    if part.word:
        look = "text" if part.is_text else "word"
        inner = max(1.0, width - 2)
        box(group, x + 1, y, inner, WORD - 3, look, rx=4)
        _word(group, part, x + width / 2, y + (WORD - 3) / 2, inner - 4)
    elif part.is_text:  # a pause inside of a text
        box(group, x, y + WORD / 2 - 3.5, max(1.0, width), 4, "text", stroke="none")
    _units(group, part, x, y + WORD, scale)


def _word(parent: ET.Element, part: Part, x: float, y: float, room: float) -> None:
    """Write a word around (x, y): upwards where that has more room for its letters."""
    is_upright = text_width(part.word, SMALLEST) > room + 0.5 and room < WORD - 4
    room = WORD - 4 if is_upright else room
    size = SMALLEST if is_upright else _size(part.word, room)
    squeezed = room if text_width(part.word, size) > room + 0.5 else 0.0
    turned = {"transform": f"rotate(-90 {x:.1f} {y:.1f})"} if is_upright else {}
    look, weight = ("on_text", 600) if part.is_text else ("ink", 400)
    words(
        parent,
        x,
        y + (3 if is_upright else 5),
        part.word,
        size,
        look,
        anchor="middle",
        room=squeezed,
        font_weight=weight,
        **turned,
    )


def _size(word: str, room: float) -> float:
    """The font in which a word fits into so many pixels, within what can be read."""
    wanted = text_width(word, SIZE)
    return max(SMALLEST, min(SIZE, SIZE * room / wanted)) if wanted else SIZE


def _units(parent: ET.Element, part: Part, x: float, y: float, scale: Scale) -> None:
    """A cell a unit; what the LLM does not read is pale and struck out."""
    width = (part.end_sec - part.start_sec) * scale.px_per_sec
    height = UNITS - 3
    if part.is_text:
        box(parent, x, y, max(1.0, width), height, "gone")
        middle = y + height / 2
        d = f"M{x:.1f} {middle:.1f}h{width:.1f}"
        node(parent, "path", "over", d=d, fill="none", stroke_width=1.2)
        return
    cells(parent, part.units, x, y, scale.px_per_sec * scale.unit_sec, height)
    for place, unit in enumerate(part.units if scale.has_numbers else ()):
        at = x + (place + 0.5) * scale.px_per_sec * scale.unit_sec
        words(parent, at, y + 11, str(unit), NUMBER, "number", anchor="middle")


def _axis(parent: ET.Element, line: Line, x: float, y: float, scale: Scale) -> None:
    apart = next((t for t in TICKS if t * scale.px_per_sec >= 48), TICKS[-1])
    end = x + (line.end_sec - line.start_sec) * scale.px_per_sec
    node(parent, "path", "line", d=f"M{x:.1f} {y:.1f}H{end:.1f}", fill="none")
    first = math.ceil(line.start_sec / apart - 1e-6)
    last = math.floor(line.end_sec / apart + 1e-6)
    for number in range(first, last + 1):
        at = x + (number * apart - line.start_sec) * scale.px_per_sec
        node(parent, "path", "line", d=f"M{at:.1f} {y:.1f}v4", fill="none")
        unit = " s" if number in (first, last) else ""
        label = f"{number * apart:.2f}".rstrip("0").rstrip(".") + unit
        is_last = number == last and at > end - 20
        # The last label ends at its tick, where there may be the border of the picture.
        anchor, shift = ("end", 4.0) if is_last else ("middle", 0.0)
        words(parent, at + shift, y + 14, label, 10.5, "dim", anchor=anchor)
