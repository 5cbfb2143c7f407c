"""Marks of other toolkits in transcripts are told of: they were learned as spoken words."""

import pytest

from s2st_interleave.data import marks


@pytest.mark.parametrize(
    "mark",
    "<noise> [laughter] <unk> <NON/> <hes_1> {noise} 【笑】 [breath_in]".split()
    + ["[breath in]", "[unintelligible 3s]"],
)
def test_marks_are_counted_by_side(mark):
    texts = {"src": {"b": f"hello {mark} world", "a": "hello"}, "tgt": {"b": "hola"}}
    (line,) = marks.report(texts)
    assert f"1 of 2 src texts hold marks ({mark}), first b" in line


@pytest.mark.parametrize(
    "text", ["a < b > c", "3 < 4 > 2", "[1] [2]", "say (uh) it", ""]
)
def test_other_signs_are_no_marks(text):
    assert marks.report({"src": {"a": text}}) == []
