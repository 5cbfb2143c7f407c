"""Bad alignments and units of other toolkits, by reader: TextGrid, CTM, Whisper, units."""

import pickle
from pathlib import Path

import numpy as np
from cases import Reader, Reads
from seeds import UNITS, npy

from s2st_interleave.interop import unit_files
from s2st_interleave.units import store

DEEP = "[" * 100_000


class Evil:
    """What a pickle runs when it is read."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("ran"),)


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


def integers(*values: int, count: int | None = None) -> bytes:
    """A vector as Kaldi writes it; `count` is what its head claims."""
    head = b"u1 \0B\4" + (len(values) if count is None else count).to_bytes(4, "little")
    return head + b"".join(
        b"\4" + value.to_bytes(4, "little", signed=True) for value in values
    )


def ark(content: bytes, place: str = "a.ark:3") -> dict[str, bytes | str]:
    return {"a.ark": content, "a.scp": f"u1 {place}\n"}


READERS = {
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
                        "{'audio': 'u1'": "text.km:1: utterance {'audio': 'u1': not all "
                        "are whole numbers"
                    }
                ),
            ),
            (
                "a call",
                "{'audio': __import__('os')}\n",
                Reads(
                    {
                        "{'audio': __import__('os')}": "text.km:1: utterance "
                        "{'audio': __import__('os')}: "
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
