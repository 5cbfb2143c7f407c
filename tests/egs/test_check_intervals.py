"""How much of the aligned units equal intervals hold: claim 6's guess rests on it."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side

SCRIPT = Path(__file__).parents[2] / "egs/mini_cvss/local/check_intervals.py"


def make_side(num_units: int, *spans: tuple[int, int]) -> Side:
    words = tuple("abcdef"[: len(spans)])
    units = np.zeros(num_units, dtype=np.int32)
    return Side(units, words, np.array(spans, dtype=np.int32))


def test_shares_of_each_side(tmp_path):
    """Of ten units, two words: equal intervals are 0..5 and 5..10."""
    folder = tmp_path / "a dump"
    folder.mkdir()
    utterances = [
        dump.Utterance(
            "u1",
            {
                "src": make_side(10, (0, 5), (5, 10)),
                "tgt": make_side(10, (0, 8), (8, 10)),
            },
        ),
        dump.Utterance(
            "u2",
            {
                "src": make_side(10, (0, 2), (2, 4)),
                "tgt": make_side(1, (0, 1), (1, 1)),
            },
        ),
    ]
    dump.write(folder, utterances, dump.UnitVocabulary(1, 0.04))
    done = subprocess.run(
        [sys.executable, SCRIPT, "--dump", folder], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # Source 1, 1, 1, 0; target 5/8, 1, and both 0 where one unit is for two words.
    assert done.stdout.splitlines() == [
        "src: 75% of a word's units, none of 25% of 4 words",
        "tgt: 41% of a word's units, none of 50% of 4 words",
    ]
