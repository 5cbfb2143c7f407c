"""Bad alignments of other toolkits: TextGrid, CTM, Whisper."""

from pathlib import Path

from cases import Reader, Reads
from json_table import DEEP
from seeds import TEXTGRIDS, WHISPER

from s2st_interleave.interop import timed
from s2st_interleave.interop.matching import match

GRID = TEXTGRIDS[0].decode()
SPAN = "intervals [1]:\n            xmin = 0\n            xmax = 0.5"


def told(folder: Path, kind: timed.Format) -> dict[str, str]:
    """Words by name, or the fault of a name that has one."""
    alignments = timed.read(folder, kind)
    spoken = {k: " ".join(w.text for w in v) for k, v in alignments.words.items()}
    return spoken | {k: v[:50] for k, v in alignments.faults.items()}


def matched(path: Path) -> list[str]:
    """The words of a CTM that fit a transcript of two words in a second."""
    (timed_words,) = timed.read(path, "ctm").words.values()
    return [word.text for word in match(["hola", "mundo"], timed_words, 1.0)]


def ctm(*lines: str) -> str:
    return "".join(f"u1 1 {line}\n" for line in lines)


READERS = {
    "TextGrid": Reader(
        "u1.TextGrid",
        lambda path: told(path.parent, "textgrid"),
        [
            ("whole", GRID, Reads({"u1": "hola"})),
            (
                "of UTF-16, as Praat writes it",
                GRID.encode("utf-16"),
                Reads({"u1": "hola"}),
            ),
            ("empty", "", "u1.TextGrid: cannot be read as a TextGrid"),
            ("cut off", GRID[:200], "u1.TextGrid: cannot be read as a TextGrid"),
            ("of points", GRID.replace("IntervalTier", "TextTier"), "u1.TextGrid: "),
            (
                "no tier of words",
                GRID.replace('"words"', '"phones"'),
                "no tier 'words' of int",
            ),
            (
                "a time of words",
                GRID.replace("xmax = 0.5", "xmax = x"),
                "cannot be read as a",
            ),
            (
                "an interval that runs backwards",
                GRID.replace(SPAN, SPAN.replace("0.5", "-1")),
                "u1.TextGrid: cannot be read as a TextGrid",
            ),
            (
                "more intervals than there are",
                GRID.replace("size = 2", f"size = {10**12}"),
                Reads({"u1": "hola"}),
            ),
            (
                "JSON of something else",
                '{"a": 1}',
                "u1.TextGrid: cannot be read as a TextGrid",
            ),
            ("brackets without end", DEEP, "u1.TextGrid: cannot be read as a TextGrid"),
            (
                "a picture",
                b"\x89PNG\r\n\x1a\n" + bytes(100),
                "u1.TextGrid: cannot be read as",
            ),
        ],
    ),
    "CTM": Reader(
        "a.ctm",
        matched,
        [
            ("whole", ctm("0 0.5 hola", "0.5 0.5 mundo"), Reads(["hola", "mundo"])),
            (
                "in no order",
                ctm("0.5 0.5 mundo", "0 0.5 hola"),
                Reads(["hola", "mundo"]),
            ),
            (
                "a negative length",
                ctm("0.4 -0.2 hola", "0.5 0.5 mundo"),
                "'hola' ends before it",
            ),
            (
                "a negative time",
                ctm("-9 0.5 hola", "0.5 0.5 mundo"),
                "'hola' lies at -9.00",
            ),
            (
                "words over one another",
                ctm("0 0.9 hola", "0.1 0.9 mundo"),
                "'mundo' overlap",
            ),
            (
                "times of a longer recording",
                ctm("7 1 hola", "8 1 mundo"),
                "of a longer recording",
            ),
            (
                "no number",
                ctm("nan 0.5 hola"),
                "a.ctm:1: no line '<id> <channel> <start>",
            ),
            (
                "Python's own number",
                ctm("1_0 0.5 hola"),
                "a.ctm:1: no line '<id> <channel>",
            ),
            (
                "a column too few",
                ctm("0.5 hola"),
                "a.ctm:1: no line '<id> <channel> <start>",
            ),
            ("a confidence of words", ctm("0 0.5 hola high"), "a.ctm:1: no line '<id>"),
            (
                "other words",
                ctm("0 0.5 hello"),
                "aligned is 'hello', the transcript is 'hola m",
            ),
            ("empty", "", "a.ctm: no alignment in it"),
            ("a NUL", ctm("0 0.5 ho\0la"), "a.ctm:1: no text, it holds a NUL byte"),
        ],
    ),
    "Whisper": Reader(
        "u1.json",
        lambda path: told(path.parent, "whisper"),
        [
            ("whole", WHISPER[0], Reads({"u1": "hola x"})),
            (
                "without times of words",
                '{"segments": [{}]}',
                "run it with --word_timestamps True",
            ),
            (
                "segments of words",
                '{"segments": "all"}',
                "run it with --word_timestamps True",
            ),
            ("a list", "[]", "run it with --word_timestamps True"),
            ("cut off", WHISPER[0][:30], "u1.json: not JSON"),
            (
                "brackets without end",
                DEEP,
                "u1.json: brackets within brackets, too deep",
            ),
            (
                "a word that is a number",
                '{"segments": [{"words": [5]}]}',
                "no word with times: 5",
            ),
            (
                "a time beyond all",
                f'{{"segments": [{{"words": [{{"word": "a", "start": {10**400}}}]}}]}}',
                "u1.json: no word with times",
            ),
            (
                "a confidence that is none",
                '{"segments": [{"words": [{"word": "a", "score": NaN}]}]}',
                "u1.json: no word with times",
            ),
        ],
    ),
}
