"""What stage 2 learns from."""

from s2st_interleave.encoder.recordings import Recording
from s2st_interleave.stages.encoder import _draw


def test_a_draw_is_the_same_in_any_order_and_part_of_a_larger_one():
    many = [Recording(f"es:u{k}", f"{k}.flac", "hola") for k in range(40)]
    drawn = _draw(many, 10)
    assert len(drawn) == 10 and set(drawn) == set(_draw(many[::-1], 10))
    assert set(drawn) < set(_draw(many, 20))
    assert _draw(many, 0) == _draw(many, 50) == many
