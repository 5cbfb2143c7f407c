"""What it costs that files are on disk before they have their names, and have digests."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from benchmarks.measure import Row, side_by_side
from s2st_interleave.files import atomic_write, sync_tree
from s2st_interleave.train import checksums

CLIPS, CLIP_BYTES, CHECKPOINT_BYTES = 200, 30_000, 300_000_000


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(dir=".") as name:
        clip, weights = os.urandom(CLIP_BYTES), os.urandom(CHECKPOINT_BYTES)

        def clips() -> None:
            for number in range(CLIPS):
                with atomic_write(Path(name, f"{number}.flac"), "wb") as stream:
                    stream.write(clip)

        def checkpoint() -> None:
            Path(name, "model.safetensors").write_bytes(weights)
            sync_tree(Path(name))

        def with_digests() -> None:
            checkpoint()
            checksums.write(Path(name))

        yield side_by_side(
            f"{CLIPS} clips of 30 kB by rename", "not synced", clips, unsynced(clips)
        )
        for path in Path(name).iterdir():
            path.unlink()
        what = "a checkpoint of 300 MB"
        yield side_by_side(what, "not synced", checkpoint, unsynced(checkpoint))
        yield side_by_side(f"{what}, digests", "none", with_digests, checkpoint)


def unsynced(work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with mock.patch("os.fsync"):
            work()

    return run
