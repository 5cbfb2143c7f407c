"""Bad archives of a corpus: tar and tar.gz."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

from cases import Reader, Reads
from media_table import flipped
from seeds import tar

from s2st_interleave.data import archive


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
