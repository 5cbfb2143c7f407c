"""What stage 2 learns from."""

from s2st_interleave.encoder.ctc import Recording
from s2st_interleave.stages.encoder import _drawn


def test_a_draw_is_the_same_in_any_order_and_part_of_a_larger_one():
    many = [Recording(f"es:u{k}", f"{k}.flac", "hola") for k in range(40)]
    some = _drawn(many, 10)
    assert len(some) == 10 and set(some) == set(_drawn(many[::-1], 10))
    assert set(some) < set(_drawn(many, 20))
    assert _drawn(many, 0) == _drawn(many, 50) == many
