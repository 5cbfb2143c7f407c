"""A recipe names stage 11 as a next step where it takes the system."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "score"))

import made

from s2st_interleave.interleave.layout import S2ST

NEXT = r"""
set -euo pipefail
system_names=(baseline) checkpoint_names=(last) test_names=(test)
expdir=exp trained=exp baseline=baseline worth= command=./run.sh S2ST_ROOT=/s2st
encoder_dir=exp/encoder kmeans_dir=exp/kmeans
. "$1/egs/cvss/utils/talk.sh"
s2st_next
"""


@pytest.mark.parametrize(
    ("layout", "parts", "is_packed"),
    [
        (S2ST, ("encoder", "kmeans"), True),
        (S2ST, (), False),  # imported units
        ("tgt_text -> tgt_speech", ("encoder", "kmeans"), False),
        ("src_speech tgt_speech -> tgt_text", ("encoder", "kmeans"), False),
    ],
)
def test_only_what_can_be_packed_is_offered_to_be(layout, parts, is_packed, tmp_path):
    """Stage 11 was called the next step also of runs that it refuses."""
    made.system(tmp_path, layout=layout)
    for part in parts:
        (tmp_path / "exp" / part).mkdir()
        (tmp_path / "exp" / part / "stage.json").write_text("{}")
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        ["bash", "-c", NEXT, "bash", root],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("--stage 11" in done.stdout) == is_packed
