"""Hashes of large files are kept from one look to the next, and are those of the content."""

import pytest

from s2st_interleave.files import file_digest, read_digest
from s2st_interleave.status.look import LARGE, hashes_kept


def test_a_large_file_is_not_read_again_as_long_as_it_does_not_change(tmp_path):
    cache, weights = tmp_path / "log" / "digests", tmp_path / "weights"
    cache.parent.mkdir()
    weights.write_bytes(b"a" * LARGE)
    state = weights.stat()
    stamp = f"{state.st_size}:{state.st_mtime_ns}:{state.st_ctime_ns}"
    cache.write_text(f"{'0' * 64} {stamp} {weights}\n")  # as digests.py keeps it
    with hashes_kept(cache):
        assert file_digest(weights) == "0" * 64
    weights.write_bytes(b"b" * (LARGE + 1))
    with hashes_kept(cache):
        assert file_digest(weights) == read_digest(weights)


@pytest.mark.parametrize("size", [10, LARGE])
def test_nothing_is_kept_of_small_files_or_where_there_is_no_folder(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(b"a" * size)
    folder = tmp_path / "log"
    if size < LARGE:
        folder.mkdir()
    with hashes_kept(folder / "digests"):
        assert file_digest(path) == read_digest(path)
    assert not (folder / "digests").exists()
