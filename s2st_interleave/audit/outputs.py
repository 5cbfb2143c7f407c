"""Whether the files of a finished directory are those that its stage wrote."""

from collections.abc import Iterator
from pathlib import Path

from s2st_interleave import newer, promises, record
from s2st_interleave.audit.finding import Audited, Digest, digest_of
from s2st_interleave.files import file_digest
from s2st_interleave.promises import CHECKPOINT, DROPPED

STRAY = "move it away: no record says how it was made"


def check(audited: Audited, digest: Digest) -> None:
    """Compare names, sizes and digests of a directory's files with its record."""
    own = {str(p.relative_to(audited.directory)): p for p in _own(audited.directory)}
    audited.num_files = len(own)
    if "digests" in audited.content:
        _check_each(audited, own, digest)
    else:
        _check_together(audited, own, digest)
    _check_parts(audited)


def _own(directory: Path) -> Iterator[Path]:
    """Files that count as outputs, without leftovers of writes, which are told apart."""
    return (p for p in promises.own_files(directory) if not is_leftover(p))


def is_leftover(path: Path) -> bool:
    """Whether a file is, or lies in, what a write makes before it is renamed."""
    return any(
        part.startswith(".") and part.endswith((".tmp", ".old")) for part in path.parts
    )


def _check_each(audited: Audited, own: dict[str, Path], digest: Digest) -> None:
    """Compare each file with its own digest, which older records lack: `_check_together`."""
    written: dict[str, str] = audited.content["digests"]
    if record.outputs(written) != audited.content["outputs"]:
        audited.find(
            audited.directory / promises.DONE,
            "its digests of files are not those that it sums up: it was edited",
        )
    for name, before in written.items():
        path = audited.directory / name
        if not path.is_file():
            if not _may_be_gone(audited.directory, name):
                audited.find(path, "it is gone")
        elif digest(path) not in (before, None):
            audited.find(path, _changed(path))
    for name in own.keys() - written.keys():
        audited.find(own[name], "the record of its folder does not know it", STRAY)


def _may_be_gone(directory: Path, name: str) -> bool:
    """Whole checkpoints may be removed to save space."""
    first = name.split("/")[0]
    return first.startswith(CHECKPOINT) and not (directory / first).exists()


def _changed(path: Path) -> str:
    return f"it is not what was written: it changed on {newer.date(path)}"


def _check_together(audited: Audited, own: dict[str, Path], digest: Digest) -> None:
    """Sizes, then one digest of all files: earlier versions recorded no more."""
    sizes: dict[str, int] = audited.content.get("files", {})
    for name, size in sizes.items():
        path = audited.directory / name
        if not path.is_file():
            audited.find(path, "it is gone")
        elif path.stat().st_size != size:
            audited.find(path, f"{_changed(path)}, to another size")
    loop = audited.facts.get("loop") or audited.facts
    checkpoints = [
        loop[k] for k in ("last", "best") if isinstance(loop, dict) and k in loop
    ]
    removed = [
        c for c in checkpoints if not (audited.directory / Path(c).name).exists()
    ]
    if audited.findings or removed or "outputs" not in audited.content:
        return
    now = digest_of({name: digest(path) for name, path in own.items()})
    if now in (audited.content["outputs"], None):
        return
    made = (audited.directory / promises.DONE).stat().st_mtime
    later = [path for path in own.values() if path.stat().st_mtime > made]
    for path in later:
        audited.find(path, _changed(path))
    if not later:
        audited.find(
            audited.directory,
            f"one of its {len(own)} files is not what was written, or was added; no "
            "date and no size tells which",
        )


def _check_parts(audited: Audited) -> None:
    """Parts of the work (shards.py): each has its proof, which holds its digest."""
    remedy = "remove it: the stage is finished, and would only make it again"
    for path in sorted((audited.directory / "shards").rglob("*")):
        if not path.is_file() or is_leftover(path):
            continue
        if path.suffix == ".proof":
            part = path.with_suffix("")
            if not part.is_file():
                audited.find(
                    path, f"the part {part.name} that it proves is gone", remedy
                )
            elif file_digest(part) not in path.read_text("utf-8").split():
                audited.find(
                    part, "it is cut or changed: its proof is of another", remedy
                )
        elif not path.with_name(f"{path.name}.proof").is_file():
            audited.find(path, "a part of the work without its proof", remedy)


def check_drops(audited: Audited) -> None:
    """Compare dropped.tsv with the counts by reason, and those with one another."""
    path = audited.directory / DROPPED
    wanted = dict(audited.counts["dropped"])
    if not path.is_file():
        if wanted:
            audited.find(path, f"it is gone; {sum(wanted.values())} ids were in it")
        return
    kinds: dict[str, int] = {}
    ids: set[str] = set()
    for line in path.read_text("utf-8").splitlines():
        utterance, _, reason = line.partition("\t")
        kinds[reason.split(":")[0]] = kinds.get(reason.split(":")[0], 0) + 1
        if utterance in ids:
            audited.find(path, f"{utterance} is in it twice")
        ids.add(utterance)
    if kinds != wanted:
        audited.find(
            path, f"it counts {_told(kinds)}, {promises.DONE} says {_told(wanted)}"
        )


def _told(kinds: dict[str, int]) -> str:
    """Counts by reason in words."""
    parts = [f"{count} '{kind}'" for kind, count in sorted(kinds.items())]
    return ", ".join(parts) or "nothing dropped"


def dropped(audited: Audited) -> set[str]:
    """The ids in dropped.tsv."""
    path = audited.directory / DROPPED
    lines = path.read_text("utf-8").splitlines() if path.is_file() else ()
    return {line.partition("\t")[0] for line in lines}
