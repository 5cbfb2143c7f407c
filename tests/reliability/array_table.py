"""Bad arrays, dumps and audio archives, by reader."""

import io
from pathlib import Path

import numpy as np
from cases import Reader, Reads
from seeds import audio_arks, dump_files, npy

from s2st_interleave.data import ark, audio
from s2st_interleave.interleave import columns, dump

GOOD = npy(np.arange(6, dtype=np.int32).reshape(3, 2))
ARK = audio_arks()[0]


def header(text: str) -> bytes:
    """An .npy of six numbers whose header says something else."""
    body = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + len(body).to_bytes(2, "little") + body + bytes(24)


def claims(shape: str, kind: str = "<i4") -> bytes:
    return header(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}")


def objects() -> bytes:
    return npy(np.array([[{}, 1]], dtype=object), pickled=True)


def zipped() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.zeros(3))
    return stream.getvalue()


DUMP = {name.replace("__", "."): content for name, content in dump_files().items()}


def changed(name: str, content: bytes) -> dict[str, bytes]:
    return DUMP | {name: content}


def facts(**values: object) -> dict[str, bytes]:
    text = DUMP["vocab.json"].decode()
    for key, value in values.items():
        old = next(line for line in text.splitlines() if f'"{key}"' in line)
        comma = "," if old.endswith(",") else ""
        text = text.replace(old, f' "{key}": {value}{comma}')
    return changed("vocab.json", text.encode())


def utterances(_: Path) -> int:
    opened = dump.Dump(Path())
    return len([opened[k] for k in range(len(opened))])


def seconds(path: Path) -> list[float]:
    places = [f"{path}:{offset}" for _, offset in ark.entries(path)]
    return [round(len(audio.read(Path(place))) / 16_000, 3) for place in places]


READERS = {
    "npy": Reader(
        "a.npy",
        lambda path: columns.read_array(path, np.int32, 2).tolist(),
        [
            ("whole", GOOD, Reads([[0, 1], [2, 3], [4, 5]])),
            ("empty", b"", "a.npy is broken: rerun stage 5"),
            ("cut off", GOOD[:-4], "a.npy is broken: rerun stage 5"),
            ("text", b"1 2 3\n", "a.npy is broken: rerun stage 5"),
            (
                "claims a million million",
                claims("(1000000000000, 2)"),
                "a.npy is broken",
            ),
            (
                "claims more than memory has",
                claims(f"({10**18}, 2)"),
                "a.npy is broken",
            ),
            (
                "claims fewer than none",
                claims("(-3, 2)"),
                "a.npy is broken: rerun stage 5",
            ),
            (
                "a header that is a call",
                header("{'descr': exit()}"),
                "a.npy is broken: rerun",
            ),
            (
                "a header that is open",
                header("{'descr': '<i4', {"),
                "a.npy is broken: rerun",
            ),
            (
                "a header of brackets",
                header("(" * 100),
                "a.npy is broken: rerun stage 5",
            ),
            ("objects of Python", objects, "a.npy is broken: rerun stage 5"),
            (
                "of another type",
                npy(np.zeros((3, 2))),
                "a.npy is broken: rerun stage 5",
            ),
            (
                "of another shape",
                npy(np.zeros((3, 3), np.int32)),
                "a.npy is broken: rerun",
            ),
            ("several arrays", zipped, "a.npy is broken: rerun stage 5"),
            (
                "a number alone",
                npy(np.array(5, np.int32)),
                "a.npy is broken: rerun stage 5",
            ),
        ],
    ),
    "dump": Reader(
        "vocab.json",
        utterances,
        [
            ("whole", DUMP, Reads(30)),
            (
                "of a later version",
                facts(version=9),
                "a dump of version 9, not of 2; rerun",
            ),
            (
                "without a version",
                changed("vocab.json", b"{}"),
                "vocab.json: no 'version' in it",
            ),
            (
                "ids that are cut",
                changed("ids.txt", DUMP["ids.txt"][:-3]),
                "do not fit; rerun",
            ),
            (
                "ids that are no text",
                changed("ids.txt", b"\xff" * len(DUMP["ids.txt"])),
                "its texts are broken; rerun stage 5",
            ),
            (
                "words that are no text",
                changed("src.words.txt", b"\xff" * len(DUMP["src.words.txt"])),
                "its texts are broken; rerun stage 5",
            ),
            (
                "units that are cut",
                changed("src.units.npy", npy(np.zeros(3, np.int32))),
                "the files of src do not fit together; rerun stage 5",
            ),
            (
                "an index of nothing",
                changed("src.index.npy", npy(np.zeros((0, 3), np.int64))),
                "do not fit together; rerun stage 5",
            ),
        ],
    ),
    "audio archive": Reader(
        "wav.1.ark",
        seconds,
        [
            ("whole", ARK, Reads([0.1, 0.1])),
            ("cut in its last recording", ARK[:-9], Reads([0.1])),
            ("a length beyond all", b"u1 AUDIO\x08" + b"\xff" * 8 + ARK, Reads([])),
            ("a length of no bytes", b"u1 AUDIO\0" + ARK, Reads([])),
            ("a text", b"u1 hola\n", Reads([])),
            ("empty", b"", Reads([])),
            ("an id that is no text", b"\xff\xfe " + ARK[3:], Reads([])),
        ],
    ),
    "place in an archive": Reader(
        "wav.1.ark",
        lambda path: len(audio.read(Path(f"{path}:3"))),
        [
            ("whole", ARK, Reads(1600)),
            (
                "another byte",
                b" " + ARK,
                "wav.1.ark:3: no recording starts at this byte",
            ),
            (
                "beyond its end",
                b"u1",
                "wav.1.ark:3: the archive ends before, at byte 2",
            ),
            ("cut off", ARK[:99], "wav.1.ark:3: the archive breaks off after"),
            (
                "a WAV without its length",
                b"u1 RIFF" + bytes(99),
                "a WAV without its length",
            ),
        ],
    ),
}
