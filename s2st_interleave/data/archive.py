"""Unpacks corpora that come as one archive, once, and whole or not at all.

The folder records the archive's content (sha256) and the names of its files. The archive
is read again only if its size or time stamp has changed. Each folder is listed once to see
whether all files are still there; if one was removed, the archive is unpacked again.
"""

import gzip
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import Any

from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest, read_json, write_json
from s2st_interleave.promises import absent, and_more

# Python 3.11.2, that of Debian 12, has no filters yet; `_check` guards in both cases.
FILTER: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
ENDINGS = (".tar.gz", ".tgz", ".tar")
DAMAGE = (tarfile.ReadError, EOFError, zlib.error, gzip.BadGzipFile)
ORIGIN = ".unpacked.json"


def is_archive(path: Path) -> bool:
    """Is `path` named as an archive, and not a folder?"""
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
    if not folder.is_dir():
        print(f"unpacking {path} to {folder}", flush=True)
        _unpack(path, folder)
    _check_origin(path, folder)
    members = read_json(folder / ORIGIN).get("members", [])
    if gone := absent(os.path.join(folder, member) for member in members):
        more = and_more(len(gone) - 1)
        print(f"{gone[0]}{more} is gone: unpacking {path} again", flush=True)
        _unpack(path, folder)
    matches = sorted(folder.rglob(wanted), key=lambda p: (len(p.parts), p))
    if not matches:
        raise UserError(f"{path} holds no {wanted}: is it the right archive?")
    return matches[0].parent


def _unpack(path: Path, folder: Path) -> None:
    """Unpack the archive and rename the result to `folder`, in place of an older one."""
    partial, old = (folder.with_name(f".{folder.name}.{n}") for n in ("partial", "old"))
    for left in (partial, old):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(parents=True)
    state = _state(path)
    members = _extract(path, partial)
    origin = state | {"sha256": file_digest(path), "members": members}
    write_json(partial / ORIGIN, origin)
    if folder.is_dir():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _check_origin(path: Path, folder: Path) -> None:
    """UserError unless `folder` was unpacked from an archive of this content."""
    origin, state = read_json(folder / ORIGIN), _state(path)
    if origin | state == origin:
        return
    if origin.get("sha256") != file_digest(path):
        raise UserError(
            f"{folder} was unpacked from another archive than {path}: remove it to "
            "have this one unpacked, or choose another --unpack_dir"
        )
    write_json(folder / ORIGIN, origin | state)  # the same archive, copied or touched


def _state(path: Path) -> dict[str, str | int]:
    state = path.stat()
    return {"archive": path.name, "bytes": state.st_size, "mtime": state.st_mtime_ns}


def _extract(path: Path, folder: Path) -> list[str]:
    """Unpack an archive into `folder` and return the names of its files.

    Raises UserError for a damaged archive, and for a member that is no plain file, occurs
    twice or lies outside of `folder`.
    """
    seen: set[str] = set()
    members: list[str] = []
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                _check(path, member, folder, seen)
                tar.extract(member, folder, **FILTER)
                if member.isreg():
                    members.append(os.path.normpath(member.name))
            while tar.fileobj and tar.fileobj.read(1 << 20):
                pass  # gzip checks its checksum at the end of the file
    except DAMAGE as error:
        raise UserError(
            f"{path} is damaged or cut off ({error}): fetch it again"
        ) from None
    return members


def _check(path: Path, member: tarfile.TarInfo, folder: Path, seen: set[str]) -> None:
    if not (member.isreg() or member.isdir()):
        raise UserError(f"{path}: member {member.name!r} is no plain file")
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise UserError(f"{path}: member {member.name!r} leads out of the archive")
    if member.isreg() and str(target) in seen:
        raise UserError(f"{path}: member {member.name!r} occurs twice")
    seen.add(str(target))
