"""Reads corpora that come as one archive, without unpacking their recordings.

An archive is listed once: its tables are unpacked, its recordings only hashed. Stage 1 then
reads the recordings one after another, in the archive's order, as often as there are
splits: a compressed archive has no other order, and a million small files take longer to
make than to decompress. The list records the archive's content (sha256), and the archive
is listed again only if its size or time stamp has changed.
"""

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from s2st_interleave.data.ark import Held
from s2st_interleave.errors import UserError
from s2st_interleave.files import (
    atomic_write,
    file_digest,
    read_json,
    remove_tree,
    write_json,
)
from s2st_interleave.progress import progress
from s2st_interleave.promises import absent

ENDINGS = (".tar.gz", ".tgz", ".tar")
TABLES = ".tsv"
DAMAGE = (tarfile.ReadError, EOFError, zlib.error, gzip.BadGzipFile)
# Kinds of members that say something of the one behind them, and are read into memory.
NOTES = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
NOTES += (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
ORIGIN = ".unpacked.json"
BLOCK = 1 << 20
LARGEST = 1 << 30  # bytes of a member: recordings are read into memory


class Member(NamedTuple):
    """A file in an archive; `number` is its place there."""

    archive: Path
    number: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Archive:
    """An archive that was listed.

    `tables` is the folder in which its tables are unpacked. Members are by their paths
    below that of the archive, as if it were a folder, in the archive's order.
    """

    path: Path
    tables: Path
    members: dict[str, Member]

    def folder(self, wanted: str) -> Path:
        """The folder, relative to the archive, that has the file `wanted`.

        Raises UserError where none has it.
        """
        end = f"/{wanted}"
        paths = [
            Path(p).relative_to(self.path) for p in self.members if p.endswith(end)
        ]
        if not paths:
            raise UserError(f"{self.path} holds no {wanted}: is it the right archive?")
        return min(paths, key=lambda p: (len(p.parts), p)).parent


class Reading:
    """An archive's files, read from its start to its end: ask for them in its order."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._files = _files(archive)

    def read(self, path: Path) -> Held:
        """The file at a path of `Archive.members`; UserError for one that went by."""
        with _whole(self._archive):
            for name, _, stream in self._files:
                if f"{self._archive}/{name}" == str(path):
                    return Held(str(path), stream.read())
        raise UserError(f"{path}: the archive has changed while it was read")


def is_archive(path: Path) -> bool:
    """Is `path` named as an archive, and not a folder?"""
    return path.name.endswith(ENDINGS) and not path.is_dir()


def without_ending(name: str) -> str:
    """The name of an archive without .tar.gz and the like."""
    return next((name.removesuffix(e) for e in ENDINGS if name.endswith(e)), name)


def listed(path: Path, into: Path) -> Archive:
    """The archive at `path`; its list and tables are in `into`/<its name>.

    That folder appears by rename. Raises UserError when the archive is damaged, has a
    member that leads elsewhere, or is another one than the folder was made from.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, packed and unpacked")
    folder = into / without_ending(path.name)
    if not folder.is_dir():
        _list(path, folder)
    _check_origin(path, folder)
    origin = read_json(folder / ORIGIN)
    if "files" not in origin:
        print(f"{folder} was unpacked by an earlier version: listing {path} instead")
        _list(path, folder)
    elif gone := absent(str(folder / t) for t in origin["files"] if t.endswith(TABLES)):
        print(f"{gone[0]} is gone: listing {path} again", flush=True)
        _list(path, folder)
    files = read_json(folder / ORIGIN)["files"]
    members = {
        f"{path}/{name}": Member(path, number, *facts)
        for number, (name, facts) in enumerate(files.items())
    }
    return Archive(path, folder, members)


def _list(path: Path, folder: Path) -> None:
    """List the archive and rename the result to `folder`, in place of an older one."""
    print(f"listing {path}, its tables go to {folder}", flush=True)
    partial, old = (folder.with_name(f".{folder.name}.{n}") for n in ("partial", "old"))
    for left in (partial, old):
        remove_tree(left)
    partial.mkdir(parents=True)
    state = _state(path)
    files: dict[str, tuple[int, str]] = {}
    digest = hashlib.sha256()
    contents = progress(_files(path, digest), f"listing {path.name}")
    with _whole(path):
        for name, member, stream in contents:
            table = partial / name if name.endswith(TABLES) else None
            files[name] = member.size, _hashed(stream, table)
    origin = state | {"sha256": digest.hexdigest(), "files": files}
    write_json(partial / ORIGIN, origin)
    if folder.is_dir():
        folder.rename(old)
    partial.rename(folder)
    remove_tree(old)


def _hashed(stream: IO[bytes], copy: Path | None) -> str:
    """The sha256 of a file, which is copied where `copy` says."""
    digest = hashlib.sha256()
    if copy is None:
        while block := stream.read(BLOCK):
            digest.update(block)
    else:
        with atomic_write(copy, "wb") as out:
            while block := stream.read(BLOCK):
                digest.update(block)
                out.write(block)
    return digest.hexdigest()


def _check_origin(path: Path, folder: Path) -> None:
    """UserError unless `folder` was made from an archive of this content."""
    origin, state = read_json(folder / ORIGIN), _state(path)
    if origin | state == origin:
        return
    if origin.get("sha256") != file_digest(path):
        raise UserError(
            f"{folder} was unpacked from another archive than {path}: remove it to "
            "have this one read, or choose another --unpack_dir"
        )
    write_json(folder / ORIGIN, origin | state)  # the same archive, copied or touched


def _state(path: Path) -> dict[str, str | int]:
    state = path.stat()
    return {"archive": path.name, "bytes": state.st_size, "mtime": state.st_mtime_ns}


def _files(
    path: Path, digest: Any = None
) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes]]]:
    """Names, headers and content of an archive's files; `digest` gets all of its bytes.

    Raises UserError for a member that is no plain file, occurs twice or lies outside of
    the archive; a damaged archive raises DAMAGE, here or where its content is read.
    """
    seen: set[str] = set()
    with _decompressed(path, digest) as stream:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as tar:
            known = cast(Any, tar)  # the types leave out the list of members
            while member := tar.next():
                known.members = []  # a million of them would take a gigabyte
                name = os.path.normpath(member.name)
                if member.size > LARGEST:
                    raise UserError(
                        f"{path}: member {member.name!r} claims {member.size} bytes, more "
                        f"than the {LARGEST} that are read: is it a trap?"
                    )
                _check(path, member, name, seen)
                if member.isreg():
                    yield name, member, cast(IO[bytes], tar.extractfile(member))
        while stream.read(BLOCK):
            pass  # gzip checks its checksum at the end of the file


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """UserError in place of DAMAGE of an archive."""
    try:
        yield
    except DAMAGE as error:
        raise UserError(
            f"{path} is damaged or cut off ({error}): fetch it again"
        ) from None


@contextmanager
def _decompressed(path: Path, digest: Any) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        is_zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        raw = _Hashing(file, digest) if digest else file
        if is_zipped:
            with gzip.GzipFile(fileobj=cast(IO[bytes], raw)) as stream:
                yield cast(IO[bytes], stream)
        else:
            yield cast(IO[bytes], raw)


class _Header(tarfile.TarInfo):
    """Refuses names and notes of a member that are of no sensible size."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in NOTES and self.size > BLOCK:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return cast(Any, super())._proc_member(tar)


class _Hashing:
    """A file that is read once, from its start to its end, and hashed by the way."""

    def __init__(self, file: IO[bytes], digest: Any) -> None:
        self._file, self._digest = file, digest

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._digest.update(block)
        return block


def _check(path: Path, member: tarfile.TarInfo, name: str, seen: set[str]) -> None:
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise UserError(f"{path}: member {member.name!r} is no plain file")
    if os.path.isabs(name) or name.split(os.sep)[0] == os.pardir:
        raise UserError(f"{path}: member {member.name!r} leads out of the archive")
    if not name.isprintable() and name != name.encode(errors="replace").decode():
        raise UserError(f"{path}: member {member.name!a} has a name that is no UTF-8")
    if member.isreg() and name in seen:
        raise UserError(f"{path}: member {member.name!r} occurs twice")
    seen.add(name)
