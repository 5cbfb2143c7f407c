"""What stage 2 learns from."""

from pathlib import Path

import pytest

from s2st_interleave.encoder.recordings import Recording, Recordings
from s2st_interleave.stages.encoder import _draw


def test_a_draw_is_the_same_in_any_order_and_part_of_a_larger_one():
    many = [Recording(f"es:u{k}", f"{k}.flac", "hola") for k in range(40)]
    drawn = _draw(many, 10)
    assert len(drawn) == 10 and set(drawn) == set(_draw(many[::-1], 10))
    assert set(drawn) < set(_draw(many, 20))
    assert _draw(many, 0) == _draw(many, 50) == many


def test_recordings_are_kept_as_they_were():
    many = [
        Recording("es:u1", Path("it's a folder/ä\t1.flac"), "la casa", 1.234),
        Recording("es:u2", Path("2.flac"), "日本 語"),
        Recording("es:u3", Path("3.flac"), "hola", 0.5),
    ]
    kept = Recordings(iter(many))
    assert list(kept) == many and kept[-1] == many[2] and kept[1:] == many[1:]
    assert len(kept) == 3 and len(Recordings([])) == 0
    with pytest.raises(IndexError):
        kept[3]
