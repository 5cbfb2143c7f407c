"""The blocks of the sequence, one below the other: units as cells, texts, and marks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from s2st_interleave.data.text import join, tokens
from s2st_interleave.show.glyphs import width as text_width
from s2st_interleave.show.picture import Row, Run
from s2st_interleave.show.style import box, cells, node, words

CHIP, LINE, GAP = 22.0, 28.0, 4.0  # height of a chip, and of a line of them
SIZE, MARK_SIZE = 14.0, 11.5  # fonts
NARROWEST, WIDEST = 3.0, 9.0  # pixels of a unit
LABEL, COUNT = 106.0, 44.0  # columns left and right of the tokens
NARROW = 560.0  # below it a label stands above its tokens
COUNT_LINE = 17.0


@dataclass(frozen=True)
class Chip:
    """A run of tokens, or the part of it that stands in one line."""

    run: Run
    width: float


def draw(
    parent: ET.Element, rows: Sequence[Row], x: float, y: float, room: float
) -> float:
    """Draw blocks below y, within `room` pixels; return the y below them."""
    is_narrow = room < NARROW
    most = max(sum(len(run.units) for run in row.runs) for row in rows)
    cell = min(WIDEST, max(NARROWEST, room / 2 / max(1, most)))
    for row in rows:
        top, look = y, "learned" if row.is_predicted else "given"
        ink = "learned_ink" if row.is_predicted else "dim"
        is_speech = row.kind == "speech"
        said = "predicted" if row.is_predicted else "given"
        if is_narrow:
            title = f"{row.title} · {said}"
            _label(parent, title, x + 12, y + 12, ink, room - 90)
            y += COUNT_LINE
        else:
            _label(parent, row.title, x + 12, y + 10, "ink", LABEL - 8)
            words(parent, x + 12, y + 22, said, 10.5, ink)
        left = x + 12 + (0 if is_narrow else LABEL)
        right = x + room - COUNT
        count_y = top + (12 if is_narrow else 15)
        count = f"{row.num_tokens} tokens" if is_narrow else f"{row.num_tokens}"
        words(parent, x + room, count_y, count, 12, "dim", anchor="end")
        for line in _lines(row, right - left, cell):
            at = left
            for chip in line:
                _chip(parent, chip, at, y, cell, "text" if is_speech else "plain")
                at += chip.width + GAP
            y += LINE
        box(parent, x, top, 4, y - top - (LINE - CHIP), look, rx=2)
        y += 4
    return y


def _label(
    parent: ET.Element, said: str, x: float, y: float, look: str, most: float
) -> None:
    room = most if text_width(said, 12.5) > most else 0.0
    words(parent, x, y, said, 12.5, look, room=room, font_weight=600)


def _lines(row: Row, room: float, cell: float) -> Iterator[list[Chip]]:
    line: list[Chip] = []
    left = room
    for run in row.runs:
        while run.num_tokens or run.text:
            chip, run = _fitting(run, left, room, cell)
            if chip is None:
                yield line
                line, left = [], room
                continue
            line.append(chip)
            left -= chip.width + GAP
    yield line


_NOTHING = Run("mark", 0)


def _fitting(
    run: Run, left: float, room: float, cell: float
) -> tuple[Chip | None, Run]:
    """The chip of as much of a run as fits into `left` pixels, and the rest of the run."""
    if run.kind == "units":
        num = min(len(run.units), int(left / cell))
        if num < min(4, len(run.units)):
            return None, run
        first, rest = run.units[:num], run.units[num:]
        chip = Chip(Run("units", num, units=first), num * cell)
        return chip, Run("units", len(rest), units=rest)
    size = SIZE if run.kind == "text" else MARK_SIZE
    pad = 14.0 if run.kind in ("text", "mask") else 4.0
    wanted = text_width(run.text, size) + pad
    if wanted <= left or (run.kind != "text" and left == room):
        return Chip(run, wanted), _NOTHING
    if run.kind != "text":
        return None, run
    parts = tokens(run.text)
    for num in range(len(parts) - 1, 0, -1):
        text = join(parts[:num])
        if text_width(text, size) + pad <= left:
            rest = join(parts[num:]).strip()
            chip = Chip(Run("text", 0, text), text_width(text, size) + pad)
            return chip, Run("text", 0, rest)
    if left < room:
        return None, run
    # One word that is wider than the line: it is squeezed.
    rest = join(parts[1:]).strip()
    return Chip(Run("text", 0, parts[0]), room), Run("text", 0, rest)


def _chip(
    parent: ET.Element, chip: Chip, x: float, y: float, cell: float, look: str
) -> None:
    """`look` is that of a text."""
    run, width = chip.run, chip.width
    group = node(parent, "g")
    if run.kind == "units":
        numbers = " ".join(map(str, run.units))
        node(group, "title", said=f"{len(run.units)} units: {numbers}")
        cells(group, run.units, x, y + 2, cell, CHIP - 4)
        return
    if run.kind == "mark":
        words(group, x + width / 2, y + 15, run.text, MARK_SIZE, "dim", anchor="middle")
        return
    node(group, "title", said=f"text: {run.text}")
    box(group, x, y, width, CHIP, look, rx=5)
    ink = "on_text" if look == "text" else "ink"
    size = SIZE if run.kind == "text" else MARK_SIZE
    room = width - 10 if text_width(run.text, size) > width - 8 else 0.0
    middle = x + width / 2
    words(group, middle, y + 15.5, run.text, size, ink, anchor="middle", room=room)
