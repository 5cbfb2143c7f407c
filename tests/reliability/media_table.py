"""Bad recordings by format, and bad archives of a corpus."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from cases import Reader, Reads
from seeds import recordings, tar

from s2st_interleave.data import archive, audio

MADE = recordings()
WAV, FLAC, OGG, MP3 = (MADE[kind] for kind in ("wav", "flac", "ogg", "mp3"))


def encoded(
    samples: np.ndarray, rate: int = 16_000, kind: str = "WAV", **how: str
) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, **how)
    return stream.getvalue()


def flipped(content: bytes, place: int) -> bytes:
    """The content with a bit of a byte turned."""
    place %= len(content)
    return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]


def patched(content: bytes, place: int, value: bytes) -> bytes:
    return content[:place] + value + content[place + len(value) :]


def of_floats(*values: float) -> bytes:
    return encoded(np.array([0.1, *values]), subtype="FLOAT")


def silence(seconds: float, channels: int = 1) -> Callable[[], bytes]:
    shape = (round(seconds * 48_000), channels)
    return lambda: encoded(np.zeros(shape, np.int16), 48_000, "FLAC")


def samples(path: Path) -> int:
    return len(audio.load(path, longest_sec=30.0).samples)


def members(*names: str, content: bytes = b"x", **facts: object) -> bytes:
    """A tar of members with these names."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in facts.items():
                setattr(info, key, value)
            packed.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def claiming(size: int) -> bytes:
    """A tar whose member claims so many bytes."""
    info = tarfile.TarInfo("a.wav")
    info.size = size
    return info.tobuf() + bytes(1024)


def sparse() -> bytes:
    """A tar whose member is a million million bytes of nothing, as GNU tar may write it."""
    facts = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "a.wav",
    }
    facts |= {"GNU.sparse.realsize": str(10**6)}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as packed:
        info = tarfile.TarInfo("x")
        info.pax_headers, info.size = facts, 512
        packed.addfile(info, io.BytesIO(b"1\n1000000\n0\n".ljust(512, b"\0")))
    return stream.getvalue()


def name_bomb() -> bytes:
    """A .tar.gz of a few kilobytes whose member has a name of 64 megabytes."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 26
    return gzip.compress(info.tobuf() + b"a" * info.size + bytes(1024))


def many() -> bytes:
    """A tar of ten thousand members of nothing."""
    stream = io.BytesIO()
    info = tarfile.TarInfo("a")
    for number in range(10_000):
        info.name = f"x/{number}.wav"
        stream.write(info.tobuf(tarfile.USTAR_FORMAT))
    return stream.getvalue() + bytes(1024)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x/train.tsv", bytes(1 << 20))
    return stream.getvalue()


def unpacked(path: Path) -> list[str]:
    """Names of an archive's files; nothing may lie outside of its folder."""
    listed = archive.listed(path, Path("un"))
    names = [Path(name).relative_to(path).as_posix() for name in listed.members]
    assert {p.name for p in Path().iterdir()} <= {path.name, "un"}
    return names if len(names) < 9 else [str(len(names))]


READERS = {
    "WAV": Reader(
        "a.wav",
        samples,
        [
            ("whole", WAV, Reads(1600)),
            ("empty", b"", "a.wav: cannot be read as audio (empty file)"),
            (
                "a header alone",
                WAV[:44],
                "a.wav: no audio in it, though its header promises 320",
            ),
            ("cut off", WAV[:2000], "a.wav: breaks off after 0.06 of 0.10 s"),
            (
                "with more behind it",
                WAV + b"\1\2\3" * 9999,
                "a.wav: goes on after the 0.1 s",
            ),
            ("written to a pipe", patched(WAV, 40, bytes(4)), Reads(1600)),
            (
                "a length beyond all",
                patched(WAV, 40, b"\xf0\xff\xff\x7e"),
                "a.wav: breaks off",
            ),
            ("no sample", encoded(np.zeros(0)), "a.wav: no audio in it"),
            ("a rate of 0", patched(WAV, 24, bytes(4)), "a.wav: "),
            ("a rate beyond all", patched(WAV, 24, b"\xff" * 4), "a.wav: "),
            ("no channel", patched(WAV, 22, bytes(2)), "a.wav: "),
            ("channels beyond all", patched(WAV, 22, b"\xff\xff"), "a.wav: "),
            (
                "of an unknown codec",
                patched(WAV, 20, b"\x99\x99"),
                "a.wav: cannot be read as audio",
            ),
            (
                "samples that are not numbers",
                of_floats(float("nan")),
                "1 of 2 samples are not n",
            ),
            (
                "samples without end",
                of_floats(float("inf")),
                "1 of 2 samples are not numbers",
            ),
            (
                "samples of integers",
                of_floats(20_000.0),
                "scale seems to be that of 16-bit int",
            ),
            (
                "a web page",
                b"<html>404</html>",
                "a.wav: cannot be read as audio (it is text: '<h",
            ),
            ("a text of zeros", bytes(4000), "a.wav: cannot be read as audio"),
            ("an MP3 by another name", MP3, Reads(1600)),
            ("a FLAC by another name", FLAC, Reads(1600)),
            (
                "a playlist",
                "#EXTM3U\nhttp://example.org/a.ts\n",
                "a.wav: cannot be read as audio",
            ),
        ],
    ),
    "FLAC": Reader(
        "a.flac",
        samples,
        [
            ("whole", FLAC, Reads(1600)),
            ("cut off", FLAC[: len(FLAC) // 2], "a.flac: cannot be read as audio"),
            ("a flipped bit", flipped(FLAC, len(FLAC) - 99), "a.flac: "),
            (
                "a flipped bit of its sum",
                flipped(FLAC, 30),
                "a.flac: its samples are not those",
            ),
            ("a header alone", FLAC[:42], "a.flac: "),
            (
                "silence of an hour in a few kilobytes",
                silence(60),
                "a.flac: lasts 60 s, more th",
            ),
            (
                "silence of many channels",
                silence(20, 8),
                "a.flac: unpacks to 8 million samples",
            ),
        ],
    ),
    "Ogg": Reader(
        "a.ogg",
        samples,
        [
            ("whole", OGG, Reads(1600)),
            ("cut off", OGG[:-200], "a.ogg: breaks off after"),
            ("a flipped bit", flipped(OGG, len(OGG) - 99), "a.ogg: "),
            ("a header alone", OGG[:58], "a.ogg: "),
            ("its last page missing", OGG[: OGG.rfind(b"OggS")], "a.ogg: "),
        ],
    ),
    "MP3": Reader(
        "a.mp3",
        samples,
        [
            ("whole", MP3, Reads(1600)),
            ("cut off", MP3[: len(MP3) // 2], "a.mp3: cannot be read as audio"),
            ("a header alone", MP3[:4], "a.mp3: "),
            ("a tag alone", b"ID3\4\0\0\0\0\7\x7f" + bytes(1023), "a.mp3: "),
            ("a tag beyond all", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + MP3, "a.mp3: "),
            (
                "its text",
                b"Not Found\n",
                "a.mp3: cannot be read as audio (it is text: 'Not Fou",
            ),
        ],
    ),
    "tar": Reader(
        "a.tar",
        unpacked,
        [
            ("whole", tar(), Reads(["x/train.tsv", "x/a.wav"])),
            ("empty", b"", "a.tar is damaged or cut off (empty file): fetch it again"),
            ("cut off", tar()[:600], "a.tar is damaged or cut off"),
            (
                "a flipped bit in a header",
                flipped(tar(), 9),
                "a.tar is damaged or cut off",
            ),
            ("text", b"404\n" * 999, "a.tar is damaged or cut off"),
            ("a zip by another name", zipped, "a.tar is damaged or cut off"),
            (
                "a path that climbs",
                members("../a.tsv"),
                "member '../a.tsv' leads out of the arc",
            ),
            (
                "a path that climbs within",
                members("x/../../a.tsv"),
                "leads out of the archive",
            ),
            (
                "a path from the root",
                members("/etc/a.tsv"),
                "member '/etc/a.tsv' leads out of",
            ),
            (
                "a link",
                members("a.tsv", content=b"", type=tarfile.SYMTYPE, linkname="/etc"),
                "member 'a.tsv' is no plain file",
            ),
            (
                "a hard link",
                members("a.tsv", content=b"", type=tarfile.LNKTYPE, linkname="/x"),
                "member 'a.tsv' is no plain file",
            ),
            (
                "a device",
                members("a.tsv", content=b"", type=tarfile.CHRTYPE),
                "is no plain file",
            ),
            (
                "a pipe",
                members("a.tsv", content=b"", type=tarfile.FIFOTYPE),
                "is no plain file",
            ),
            (
                "a member twice",
                members("a.tsv", "./a.tsv"),
                "member './a.tsv' occurs twice",
            ),
            (
                "a member of a million million bytes",
                claiming(10**12),
                "claims 1000000000000 byt",
            ),
            ("a sparse member", sparse, "member 'a.wav' is no plain file"),
            ("ten thousand members", many, Reads(["10000"])),
            (
                "names of a shell",
                members("$(x).tsv", "a;b.wav", "c\nd.wav"),
                Reads(["$(x).tsv", "a;b.wav", "c\nd.wav"]),
            ),
        ],
    ),
    "tar.gz": Reader(
        "a.tar.gz",
        unpacked,
        [
            ("whole", tar(".gz"), Reads(["x/train.tsv", "x/a.wav"])),
            ("cut off", tar(".gz")[:-20], "a.tar.gz is damaged or cut off"),
            (
                "a flipped bit of its sum",
                flipped(tar(".gz"), -6),
                "a.tar.gz is damaged or cut",
            ),
            (
                "a name of megabytes",
                name_bomb,
                "a.tar.gz is damaged or cut off (a header of",
            ),
        ],
    ),
}
