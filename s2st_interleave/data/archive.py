"""Corpora that come as one archive: unpacked once, whole or not at all."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path

from s2st_interleave.artifact import read_json, write_json
from s2st_interleave.errors import UserError

ENDINGS = (".tar.gz", ".tgz", ".tar")
DAMAGE = (tarfile.ReadError, EOFError, zlib.error, gzip.BadGzipFile)
ORIGIN = ".unpacked.json"


def is_archive(path: Path) -> bool:
    return path.name.endswith(ENDINGS) and not path.is_dir()


def unpacked(path: Path, into: Path, wanted: str) -> Path:
    """`path` itself, or the folder in which an archive holds the file `wanted`.

    An archive is unpacked into `into`/<its name>, which appears by rename. Raises
    UserError when it is damaged, has a member that leads elsewhere, or is another one
    than the folder was made from.
    """
    if not is_archive(path):
        return path
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, packed and unpacked")
    name = next(path.name.removesuffix(e) for e in ENDINGS if path.name.endswith(e))
    folder = into / name
    state = path.stat()
    origin = {"archive": path.name, "bytes": state.st_size, "mtime": state.st_mtime_ns}
    if not folder.is_dir():
        print(f"unpacking {path} to {folder}", flush=True)
        partial = into / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _extract(path, partial)
        write_json(partial / ORIGIN, origin)
        partial.rename(folder)
    elif read_json(folder / ORIGIN) != origin:
        raise UserError(f"{folder} was unpacked from another archive than {path}")
    found = sorted(folder.rglob(wanted), key=lambda p: (len(p.parts), p))
    if not found:
        raise UserError(f"{path} holds no {wanted}: is it the right archive?")
    return found[0].parent


def _extract(path: Path, folder: Path) -> None:
    """Plain files and folders only, none of them twice, none outside of `folder`."""
    seen: set[str] = set()
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                _check(path, member, folder, seen)
                tar.extract(member, folder, filter="data")
            while tar.fileobj and tar.fileobj.read(1 << 20):
                pass  # to the end, where gzip keeps its checksum
    except DAMAGE as error:
        raise UserError(
            f"{path} is damaged or cut off ({error}): fetch it again"
        ) from None


def _check(path: Path, member: tarfile.TarInfo, folder: Path, seen: set[str]) -> None:
    if not (member.isreg() or member.isdir()):
        raise UserError(f"{path}: member {member.name!r} is no plain file")
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise UserError(f"{path}: member {member.name!r} leads out of the archive")
    if member.isreg() and str(target) in seen:
        raise UserError(f"{path}: member {member.name!r} occurs twice")
    seen.add(str(target))
