"""Whether what a finished directory was made from is still there, and still the same."""

import os
from collections.abc import Mapping
from pathlib import Path

from s2st_interleave import newer
from s2st_interleave.audit.finding import Audited, Digest, digest_of
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.status import look

BESIDE = {("compare", "system"): "score", ("compare", "baseline"): "score"}
By = Mapping[Path, Audited]


def path_of(audited: Audited, name: str) -> Path | None:
    """Where an input lay, by the options of its stage; None where no option tells."""
    base, _, rest = name.partition(".")
    for option in (f"{base}_dir", base, f"{base}s"):
        paths = audited.paths(option)
        if rest and not rest.isdigit():
            paths = [path for path in paths if path.stem == rest]
        number = int(rest) if rest.isdigit() else 0
        if number < len(paths):
            path = paths[number] / BESIDE.get((audited.stage, base), "")
            stem = path.with_name(
                f"{path.name}.scp"
            )  # an earlier version named units so
            return path.parent if stem.is_file() else path
    return None


def source(audited: Audited, name: str, known: By) -> Audited | None:
    """The finished directory that an input is of; None where it is not what was read."""
    wanted = audited.content.get("inputs", {}).get(name)
    path = path_of(audited, name)
    if path in known and known[path].print == wanted:
        return known[path]
    return next((each for each in known.values() if each.print == wanted), None)


def check(audited: Audited, known: By, digest: Digest) -> None:
    """Compare each input with what is there now; one of stage 1 is asked of its code."""
    where = audited.directory / DONE
    own = audited.paths("data_dir" if audited.stage == "data" else "out_dir")
    if own and own[0] != audited.directory and own[0].parent.exists():
        wrong = f"it is the record of {os.path.relpath(own[0])}: a copy of another"
        audited.find(where, wrong)
    if audited.stage == "data":
        _check_corpus(audited)
        return
    for name, before in audited.content.get("inputs", {}).items():
        path = path_of(audited, name)
        if path is None or not newer.is_hash(before):
            continue
        wrong = _difference(audited, name, before, path, known, digest)
        if wrong:
            audited.find(where, f"input {name}: {wrong}")


def _difference(
    audited: Audited, name: str, before: str, path: Path, known: By, digest: Digest
) -> str:
    """What is wrong with an input, in words; "" if nothing is."""
    shown = os.path.relpath(path)
    if path in known:
        if known[path].print == before:
            return ""
        other = source(audited, name, known)
        if other is not None:
            return f"what was read is {os.path.relpath(other.directory)}, not {shown}"
        return f"{shown} is another one than was read: it was made anew, or replaced"
    if (path / OPEN).is_file():
        return f"{shown} is begun anew, and not finished"
    if (path / DONE).is_file():
        return f"the record of {shown} cannot be read"
    if not path.exists():
        return f"{shown} is gone"
    now = _now(path, digest)
    if now in (before, None):
        return ""
    changed = newer.newer_files(path, audited.directory)
    return f"{shown} has changed since" + (f": {changed[0]}" if changed else "")


def _now(path: Path, digest: Digest) -> str | None:
    """The fingerprint of a user's file or folder, as stage_dir.Input has it."""
    if path.is_file():
        return digest(path)
    names = sorted(p for p in path.iterdir() if p.is_file())
    return digest_of({p.name: digest(p) for p in names})


COMMANDS = {"tsv": "own", "common_voice": "data", "src_dir": "import_data"}


def _check_corpus(audited: Audited) -> None:
    """Ask stage 1 itself what has changed of the corpus: it knows many kinds of them."""
    paths = audited.content.get("paths", {})
    command = next((v for k, v in COMMANDS.items() if k in paths), None)
    if command is None:
        return
    verdict = look.look(command, (), audited.content, audited.record.home)
    where = audited.directory / DONE
    remedy = "put the corpus back, or make the directory of it as it is now"
    for line in verdict.differs:
        if line.startswith("input ") or "missing" in line or "no longer" in line:
            audited.find(where, line.removeprefix("data: ").strip(), remedy)
    if "no such file" in verdict.unsure.lower():
        audited.find(where, f"the corpus is gone: {verdict.unsure}", remedy)
