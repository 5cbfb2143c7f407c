"""Stage 1: a fixed part of a data directory: the utterances of the smallest sha256(id).

The paper scores 1,000 random test utterances a pair and does not say which. This choice
depends only on the ids, so that everybody scores the same utterances; a smaller split is
taken whole. The ids are listed in utt2spk.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi, sides
from s2st_interleave.stage_dir import Input, open_stage


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/test")
    out_dir: Path = option(REQUIRED, "data/test1k to write")
    num_utterances: int = option(1000, "how many; the paper's is 1,000", minimum=1)
    overwrite: bool = option(False, "make it anew", runtime=True)

    earlier = staticmethod(sides.without_languages)
    removed: ClassVar[dict[str, str]] = {"languages": sides.KNOWN}


def run(options: Options) -> None:
    stage = open_stage(
        options.out_dir,
        stage="subset",
        options=options,
        inputs={"data": Input(options.data_dir, "data")},
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    whole, part = kaldi.DataDir(options.data_dir), kaldi.DataDir(options.out_dir)
    speakers = kaldi.read_table(whole.path / "utt2spk")
    ids = smallest(speakers, options.num_utterances)
    sides.write(part.path, whole.sides)
    for role in whole.sides:
        for name in ("wav.scp", "text", "utt2dur", "utt2level", "faults"):
            source = whole.file(name, role)
            table = kaldi.read_table(source) if source.is_file() else {}
            if chosen := {k: v for k, v in table.items() if k in ids}:
                kaldi.write_table(part.file(name, role), chosen)
    kaldi.write_speakers(part, {k: speakers[k] for k in ids})
    kaldi.validate(part)
    stage.finish(
        num_in=len(speakers),
        num_out=len(ids),
        said=f"{len(ids)} utterances chosen of {len(speakers)} by a hash of their ids, as "
        "--num_utterances asks",
    )


def smallest(ids: Iterable[str], count: int) -> set[str]:
    """The `count` ids whose sha256, of UTF-8 and in hexadecimal, comes first."""
    ordered = sorted(ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return set(ordered[:count])
