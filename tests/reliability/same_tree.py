"""Are two trees of a recipe the same, byte for byte, but for the fields that hold times?

The fields are named here, and nothing else may differ. A digest of a file with such a field
in it differs as well: of these the tree is asked for the file itself.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

# Seconds that a run took, the size of a folder in which they are written, and the commit of
# the running code.
TIMES = {"wall_sec", "train_sec", "sec", "bytes", "git"}
# Logs, and stage 1's cache of digests, which holds times of files alone.
LEFT_OUT = re.compile(r"(^|/)log/|/audio/\w+/digests$")


def digest_of(path: Path) -> str:
    """A digest of a file's content without its times."""
    name = path.name
    content = path.read_bytes()
    clean = next((f for pattern, f in CLEAN if re.fullmatch(pattern, name)), None)
    return hashlib.sha256(clean(content) if clean else content).hexdigest()


def tree(root: Path, names: Iterable[str] = ("",)) -> dict[str, str]:
    """Digests of all files below `root`, or of some of its folders, by relative path."""
    found = {}
    for name in names:
        place = root / name
        paths = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in paths:
            relative = str(path.relative_to(root))
            if path.is_file() and not LEFT_OUT.search(relative):
                found[renamed(relative)] = digest_of(path)
            elif path.is_dir() and not any(path.iterdir()):
                found[f"{relative}/"] = "an empty folder"
    return merged(root, found)


def different(wanted: dict[str, str], seen: dict[str, str]) -> list[str]:
    """Paths that are missing, left over or of other content."""
    paths = sorted(wanted.keys() | seen.keys())
    return [
        f"{path}: {_what(wanted.get(path), seen.get(path))}"
        for path in paths
        if wanted.get(path) != seen.get(path)
    ]


def _what(wanted: str | None, seen: str | None) -> str:
    if wanted is None:
        return "is left over"
    return "is missing" if seen is None else "differs"


def renamed(relative: str) -> str:
    return re.sub(r"heard\.[0-9a-f]{32}\.jsonl", "heard.jsonl", relative)


def merged(root: Path, found: dict[str, str]) -> dict[str, str]:
    """The cache of the recogniser is one table, however many files it lies in."""
    for name in {k for k in found if k.endswith("heard.jsonl")}:
        lines = set()
        for path in (root / name).parent.glob("heard.*.jsonl"):
            lines |= {line for line in path.read_bytes().splitlines(True)}
        whole = sorted(line for line in lines if line.endswith(b"\n"))
        found[name] = hashlib.sha256(b"".join(whole)).hexdigest()
    return found


def _json(content: bytes) -> bytes:
    def clean(value: object) -> object:
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items() if k not in TIMES}
        return [clean(v) for v in value] if isinstance(value, list) else value

    return json.dumps(clean(json.loads(content))).encode()


def _json_lines(content: bytes) -> bytes:
    return b"\n".join(_json(line) for line in content.splitlines())


def _proof(content: bytes) -> bytes:
    """Two digests; the seconds that a part took follow."""
    return b" ".join(content.split()[:2])


def _checkpoint_sums(content: bytes) -> bytes:
    """Digests of a checkpoint's files; meta.json holds seconds."""
    sums = json.loads(content)
    return json.dumps({k: v for k, v in sums.items() if k != "meta.json"}).encode()


def _command(content: bytes) -> bytes:
    """A training's command without the place of the repository."""
    return re.sub(rb"--config \S.*?/egs/", b"--config egs/", content)


CLEAN: list[tuple[str, Callable[[bytes], bytes]]] = [
    (r"run\.sh", _command),
    (r"sha256\.json", _checkpoint_sums),
    (r".*\.jsonl", _json_lines),
    (r".*\.json", _json),
    (r"part[0-9]+\.proof", _proof),
]
