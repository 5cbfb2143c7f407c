"""Bad alignments and units of other toolkits, by reader: TextGrid, CTM, Whisper, units."""

import pickle
from pathlib import Path

import numpy as np
from cases import Reader, Reads
from seeds import TEXTGRIDS, UNITS, WHISPER, npy

from s2st_interleave.interop import timed, unit_files
from s2st_interleave.interop.matching import match
from s2st_interleave.units import store

DEEP = "[" * 100_000
GRID = TEXTGRIDS[0].decode()
SPAN = "intervals [1]:\n            xmin = 0\n            xmax = 0.5"


class Evil:
    """What a pickle runs when it is read."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("ran"),)


def told(folder: Path, kind: timed.Format) -> dict[str, str]:
    """Words by name, or the fault of a name that has one."""
    alignments = timed.read(folder, kind)
    spoken = {k: " ".join(w.text for w in v) for k, v in alignments.words.items()}
    return spoken | {k: v[:50] for k, v in alignments.faults.items()}


def matched(path: Path) -> list[str]:
    """The words of a CTM that fit a transcript of two words in a second."""
    (timed_words,) = timed.read(path, "ctm").words.values()
    return [word.text for word in match(["hola", "mundo"], timed_words, 1.0)]


def units(path: Path) -> dict[str, list[int] | str]:
    """Units by name, or the fault of a name that has one."""
    read = unit_files.read(path, "fairseq" if path.stem == "a" else "text")
    return {k: v.tolist() for k, v in read.units.items()} | read.faults


def of_ark(path: Path) -> dict[str, list]:
    assert not Path("ran").exists()
    try:
        return {k: v.tolist() for k, v in store.read_units(path).items()}
    finally:
        assert not Path("ran").exists(), "a command or a pickle was run"


def ctm(*lines: str) -> str:
    return "".join(f"u1 1 {line}\n" for line in lines)


def integers(*values: int, count: int | None = None) -> bytes:
    """A vector as Kaldi writes it; `count` is what its head claims."""
    head = b"u1 \0B\4" + (len(values) if count is None else count).to_bytes(4, "little")
    return head + b"".join(
        b"\4" + value.to_bytes(4, "little", signed=True) for value in values
    )


def ark(content: bytes, place: str = "a.ark:3") -> dict[str, bytes | str]:
    return {"a.ark": content, "a.scp": f"u1 {place}\n"}


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
    "unit text": Reader(
        "text.km",
        units,
        [
            ("whole", UNITS[0], Reads({"u1": [71, 8, 8], "u2": [4, 5], "u3": [1, 2]})),
            (
                "words",
                "u1 a b\n",
                Reads({"u1": "text.km:1: utterance u1: not all are whole numbers"}),
            ),
            (
                "halves",
                "u1 1.5\n",
                Reads({"u1": "text.km:1: utterance u1: not all are whole numbers"}),
            ),
            (
                "of no machine",
                f"u1 {2**40}\n",
                Reads({"u1": "text.km:1: utterance u1: not all are whole numbers"}),
            ),
            (
                "Python's own",
                "u1 1_0\n",
                Reads({"u1": "text.km:1: utterance u1: not all are whole numbers"}),
            ),
            (
                "an id twice",
                "u1 1\nu1 2\n",
                Reads({"u1": "text.km:2: utterance u1 occurs twice"}),
            ),
            ("an empty line", "u1 1\n\n", "text.km:2: empty line"),
            (
                "an object that is cut",
                "{'audio': 'u1'\n",
                Reads(
                    {
                        "{'audio': 'u1'": "text.km:1: utterance {'audio': 'u1': not all are whole numbers"
                    }
                ),
            ),
            (
                "a call",
                "{'audio': __import__('os')}\n",
                Reads(
                    {
                        "{'audio': __import__('os')}": "text.km:1: utterance {'audio': __import__('os')}: "
                        "not all are whole numbers"
                    }
                ),
            ),
            (
                "brackets without end",
                "{" * 3000 + "\n",
                Reads(
                    {
                        "{"
                        * 3000: f"text.km:1: utterance {'{' * 3000}: not all are whole numbers"
                    }
                ),
            ),
        ],
    ),
    "fairseq": Reader(
        "a.km",
        units,
        [
            (
                "whole",
                {"a.km": "1 2\n", "a.tsv": "/x\nu1.wav\t9\n"},
                Reads({"u1.wav": [1, 2]}),
            ),
            (
                "no manifest",
                {"a.km": "1 2\n"},
                "a.tsv is missing: the manifest beside the .km",
            ),
            (
                "an empty manifest",
                {"a.km": "1 2\n", "a.tsv": ""},
                "1 lines, its manifest names 0",
            ),
            (
                "a line too few",
                {"a.km": "1\n", "a.tsv": "/x\na\t1\nb\t1\n"},
                "a.km: 1 lines, its",
            ),
        ],
    ),
    "unit archive": Reader(
        "a",
        of_ark,
        [
            ("whole", ark(integers(1, 2, 3)), Reads({"u1": [1, 2, 3]})),
            ("text", ark(b"u1 1 2 3\n"), Reads({"u1": [1, 2, 3]})),
            ("a part", ark(integers(1, 2, 3), "a.ark:3[1:2]"), Reads({"u1": [2, 3]})),
            ("cut off", ark(integers(1, 2, 3)[:-2]), "a.ark is broken: make it anew"),
            (
                "a length beyond all",
                ark(integers(1, count=2**31)),
                "a.ark is broken: make it",
            ),
            (
                "a length below 0",
                ark(integers(1, count=2**32 - 1)),
                "a.ark is broken: make it",
            ),
            (
                "a flipped bit",
                ark(integers(1, 2).replace(b"\4\2", b"\5\2")),
                "a.ark is broken",
            ),
            (
                "another byte",
                ark(integers(1, 2), "a.ark:4"),
                "a.scp: u1: a.ark:4: no array of K",
            ),
            ("beyond its end", ark(integers(1), "a.ark:999"), "a.ark"),
            ("empty", ark(b""), "a.ark is broken: make it anew"),
            ("missing", {"a.scp": "u1 a.ark:3\n"}, "a.ark: no such file or folder"),
            (
                "a pickle",
                ark(b"u1 PKL" + pickle.dumps(Evil())),
                "no array of Kaldi starts here",
            ),
            (
                "numpy's",
                ark(b"u1 NPY\x80" + npy(np.zeros(2))),
                "no array of Kaldi starts here",
            ),
            (
                "a command",
                ark(b"", "touch ran |"),
                "a.scp: u1: 'touch ran |' is no <ark>:<offset>",
            ),
            (
                "a command behind",
                ark(b"", "| touch ran"),
                "| touch ran: no such file or folder",
            ),
            (
                "a command, with a place",
                ark(b"", "touch ran |:0"),
                "touch ran |: no such file",
            ),
            ("a name beyond all", ark(b"", "x" * 9999), "its name has 9999 characters"),
        ],
    ),
}
