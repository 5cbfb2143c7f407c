"""A picture as text in a terminal, with colour or without."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from s2st_interleave.show.glyphs import columns, isolated, legal
from s2st_interleave.show.picture import Course, Part, Picture, Row, Run, Track

UNIT, TEXT = "▪", "═"
CODES = {"units": "36", "text": "30;43", "gone": "33", "learned": "32", "dim": "2"}
CODES |= {"bold": "1"}
COLORS = {"units": "units", "text": "text", "mask": "text", "mark": "dim"}
LEVELS = "▁▂▃▄▅▆▇█"
NARROWEST, WIDEST = 40, 160
CELL_SEC = 0.04  # seconds of a sign
NUM_UNITS_SHOWN = 6


@dataclass(frozen=True)
class Paint:
    """Puts colours around texts, or none."""

    has_color: bool

    def __call__(self, kind: str, text: str) -> str:
        if not self.has_color or not text:
            return text
        return f"\x1b[{CODES[kind]}m{text}\x1b[0m"


def drawing(picture: Picture, width: int, *, has_color: bool) -> str:
    """The lines of a picture, each of `width` columns or fewer."""
    width, paint = min(max(width, NARROWEST), WIDEST), Paint(has_color)
    lines = [
        paint("bold", _cut(picture.id, width)),
        *_wrapped(f"{picture.place} · {picture.p}", width),
        *_wrapped(picture.is_read, width),
        "",
        *_curve(picture.course, picture.step, width),
    ]
    for track in picture.tracks:
        lines += ["", paint("bold", _cut(track.title, width))]
        lines += [paint("dim", line) for line in _wrapped(track.about, width)]
        lines += _track(track, width, paint)
    lines += ["", paint("bold", "the LLM reads")]
    for row in picture.rows:
        lines += _row(row, width, paint)
    legend = f"{UNIT} units, {TEXT} text in their place; ┃ predicted, │ given"
    lines += ["", *_wrapped(picture.counts, width), *_wrapped(legend, width)]
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    """A text without its end where it is wider than `width`; no control characters."""
    text = " ".join(legal(text).split())
    if columns(text) <= width:
        return isolated(text)
    while columns(text) > width - 1:
        text = text[:-1]
    return isolated(f"{text}…")


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and columns(f"{line} {word}") > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line]


def _curve(course: Course, step: int, width: int) -> list[str]:
    """p(step) as a row of bars, and a mark below the bar of this step."""
    count = min(width - 12, 50)
    last = max(course.points[-1][0], step)
    bars = []
    for place in range(count):
        at = round(place * last / (count - 1))
        ratio = [p for first, p in course.points if first <= at][-1]
        level = min(len(LEVELS) - 1, int(ratio * len(LEVELS)))
        bars.append(LEVELS[level] if ratio else " ")
    start = f"{course.points[0][1]:g}".rjust(5)
    mark = round(step * (count - 1) / last) if last else 0
    end = f"{course.points[-1][1]:g}"
    below = f"▲ {step}"
    return [f"p {start} {''.join(bars)} {end}", " " * (8 + mark) + below]


def _track(track: Track, width: int, paint: Paint) -> Iterator[str]:
    """Three lines for as many parts as fit: seconds, words, units."""
    line: list[Part] = []
    used = 2
    for part in track.parts:
        need = _columns_of(part, width)
        if line and used + need > width:
            yield from _three_lines(line, width, paint)
            line, used = [], 2
        line.append(part)
        used += need
    yield from _three_lines(line, width, paint)


def _columns_of(part: Part, width: int) -> int:
    cells = min(_num_cells(part), width - 3)
    if not part.word:
        return cells + 1
    return max(columns(_cut(part.word, width - 3)), len(_seconds(part)), cells) + 1


def _num_cells(part: Part) -> int:
    return max(1, round((part.end_sec - part.start_sec) / CELL_SEC))


def _seconds(part: Part) -> str:
    return f"{part.start_sec:.2f}" if part.word else ""


def _three_lines(parts: Sequence[Part], width: int, paint: Paint) -> Iterator[str]:
    seconds, words, units = "  ", "  ", "  "
    for part in parts:
        need = _columns_of(part, width)
        seconds += paint("dim", _seconds(part)) + " " * (need - len(_seconds(part)))
        word = _cut(part.word, width - 3)
        shown = paint("text", word) if part.is_text else word
        words += shown + " " * (need - columns(word))
        cells = min(_num_cells(part), width - 3)
        sign = paint("gone", TEXT * cells) if part.is_text else UNIT * cells
        units += (sign if part.is_text else paint("units", sign)) + " " * (need - cells)
    yield from (line.rstrip() for line in (seconds, words, units))


def _row(row: Row, width: int, paint: Paint) -> Iterator[str]:
    """A block: what it is on the left, then its tokens, then how many they are."""
    bar = paint("learned", "┃") if row.is_predicted else "│"
    label, count = f"{_cut(row.title, 13):<13}", str(row.num_tokens)
    room = width - 16 - 6
    lines: list[list[Run]] = [[]]
    used = 0
    for run in row.runs:
        for number, text in enumerate(_pieces(run, room)):
            if lines[-1] and used + 1 + columns(text) > room:
                lines.append([])
                used = 0
            used += columns(text) + bool(lines[-1])
            if number and lines[-1]:  # words of one text are one text in a line
                text = f"{lines[-1].pop().text} {text}"
            lines[-1].append(replace(run, text=text))
    for number, line in enumerate(lines):
        body = " ".join(paint(COLORS[run.kind], isolated(run.text)) for run in line)
        used = columns(" ".join(run.text for run in line))
        start = label if number == 0 else " " * 13
        end = f"{' ' * (room - used)} {count:>5}" if number == 0 else ""
        yield f"{start} {bar} {body}{end}".rstrip()


def _pieces(run: Run, room: int) -> list[str]:
    """Words and numbers of a run, which may stand on different lines."""
    if run.kind == "units":
        shown = [str(unit) for unit in run.units[:NUM_UNITS_SHOWN]]
        left = len(run.units) - len(shown)
        return [*shown, *([f"…+{left}"] if left else [])]
    if run.kind == "text":
        words = f"“{legal(run.text)}”".split()
        return [piece for word in words for piece in _chunks(word, room)]
    return [run.text]


def _chunks(word: str, room: int) -> Iterator[str]:
    """A word in pieces of `room` columns or fewer, such as a text without spaces."""
    start, used = 0, 0
    for place, char in enumerate(word):
        if used + columns(char) > room:
            yield word[start:place]
            start, used = place, 0
        used += columns(char)
    yield word[start:]
