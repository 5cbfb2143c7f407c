"""Words and gaps partition the units, for any times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2st_interleave.interleave.segments import (
    check_spans,
    segment_units,
    to_unit_spans,
    uniform_spans,
)


@st.composite
def word_times(draw):
    count = draw(st.integers(1, 15))
    edges = sorted(draw(st.floats(0, 6)) for _ in range(2 * count))
    times = list(zip(edges[::2], edges[1::2], strict=True))
    return times, draw(st.integers(count, 160))


@given(word_times(), st.integers(0, 2**15 - 1))
def test_runs_of_words_and_other_units_partition_the_units(drawn, mask):
    times, num_units = drawn
    spans = to_unit_spans(times, 0.04, num_units)
    check_spans(num_units, spans)
    replaced = np.array([bool(mask >> word & 1) for word in range(len(times))])
    segments = segment_units(num_units, spans, replaced)
    covered = [u for s in segments for u in range(s.start_unit, s.end_unit)]
    assert covered == list(range(num_units))
    words = [word for s in segments for word in s.words]
    assert words == np.flatnonzero(replaced).tolist()
    for run in (s for s in segments if s.words):  # which is maximal
        assert not replaced[run.words.start - 1 : run.words.start].any()
        assert not replaced[run.words.stop : run.words.stop + 1].any()
        assert run.start_unit == spans[run.words[0], 0]
        assert run.end_unit == spans[run.words[-1], 1]
    assert (spans[:, 1] > spans[:, 0]).all()  # no word without a unit


def test_words_that_share_a_border_share_it_in_units():
    spans = to_unit_spans([(0.0, 0.21), (0.21, 0.5)], 0.04, 13)
    assert spans.tolist() == [[0, 5], [5, 12]]


def test_fewer_units_than_words_still_partition():
    spans = to_unit_spans([(0, 1), (1, 2), (2, 3)], 0.04, 2)
    segments = segment_units(2, spans, np.ones(3, dtype=bool))
    assert sum(s.end_unit - s.start_unit for s in segments) == 2


@given(st.integers(1, 30), st.integers(0, 200))
def test_uniform_spans_are_of_equal_width(num_words, num_units):
    spans = uniform_spans(num_words, num_units)
    assert set((spans[:, 1] - spans[:, 0]).tolist()) == {num_units // num_words}
    check_spans(num_units, spans)


def test_overlapping_spans_are_refused():
    with pytest.raises(ValueError, match=r"word 1 spans units 2\.\.5 after 3"):
        check_spans(6, np.array([[0, 3], [2, 5]]))
