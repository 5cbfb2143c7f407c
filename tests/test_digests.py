"""Files are read once, and again only where size or time stamps say so."""

import hashlib
import os

import pytest

from s2st_interleave import digests
from s2st_interleave.data import ark


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"a file {k}" for k in range(1200)]
    for number, path in enumerate(paths):
        path.write_text(str(number))
    return paths


def test_what_has_not_changed_is_not_read_again(files, tmp_path, monkeypatch):
    cache = tmp_path / "digests"
    monkeypatch.setattr(digests, "SAME_TICK_NS", 0)
    first = digests.digests(files, cache, nj=2)
    assert len(set(first.values())) == len(files)

    def read(*_):
        raise AssertionError("read again")

    with monkeypatch.context() as patch:
        patch.setattr(digests.hashlib, "file_digest", read)
        assert digests.digests(files, cache) == first
    files[0].write_text("!")
    files[1].unlink()
    again = digests.digests(files, cache)
    assert again[files[0]] != first[files[0]] and again[files[1]] == digests.MISSING
    assert again[files[2]] == first[files[2]]
    cache.unlink()
    assert digests.digests(files, cache) == again


def test_a_time_that_was_set_back_hides_nothing(files, tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "SAME_TICK_NS", 0)
    path, cache = files[7], tmp_path / "digests"
    first = digests.digests(files, cache)
    state = path.stat()
    path.write_text("8")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert digests.digests(files, cache)[path] != first[path]


def test_a_file_written_just_now_is_not_yet_known(files, tmp_path):
    """A change within the same tick of the clock would leave the same stamps."""
    cache = tmp_path / "digests"
    digests.digests(files, cache)
    assert cache.read_bytes() == b""


def test_what_was_read_before_an_interruption_is_not_read_again(
    files, tmp_path, monkeypatch
):
    monkeypatch.setattr(digests, "SAME_TICK_NS", 0)
    cache, real = tmp_path / "digests", digests.hashlib.file_digest

    def read(stream, name):
        if stream.name.endswith("file 999"):
            raise KeyboardInterrupt
        return real(stream, name)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(digests.hashlib, "file_digest", read)
        digests.digests(files, cache)
    assert len(cache.read_bytes().splitlines()) >= digests.CHUNK


def test_a_recording_in_an_archive_has_the_digest_of_its_file(tmp_path):
    content = {"u1": b"RIFF one", "u2": b"RIFF two"}
    places = {}

    def write() -> None:
        with (tmp_path / "wav.1.ark").open("wb") as stream:
            for name, recording in content.items():
                stream.write(f"{name} ".encode())
                places[name] = tmp_path / f"wav.1.ark:{stream.tell()}"
                stream.write(ark.head(len(recording)) + recording)

    write()
    cache = tmp_path / "cache"
    first = digests.digests(places.values(), cache)
    assert [first[places[k]] for k in content] == [
        hashlib.sha256(recording).hexdigest() for recording in content.values()
    ]
    content["u2"] = b"RIFF new"
    write()
    again = digests.digests(places.values(), cache)
    assert again[places["u1"]] == first[places["u1"]]
    assert again[places["u2"]] == hashlib.sha256(b"RIFF new").hexdigest()
    lost = tmp_path / "wav.2.ark:5"
    assert digests.digests([lost], cache) == {lost: digests.MISSING}
