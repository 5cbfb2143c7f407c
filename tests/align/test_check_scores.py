"""The script that the thresholds of stage 3 were read from."""

import subprocess
import sys
from pathlib import Path

import pytest
import tones

SCRIPT = Path(__file__).parents[2] / "egs/mini_cvss/local/check_scores.py"


@pytest.mark.slow  # the encoder is trained a second time where files run side by side
def test_what_is_wrong_on_purpose_lies_below_what_is_right(encoders, tmp_path):
    folder = tones.write_data(tmp_path, "dev", tones.both(tones.clips("dev", 6)))
    command = [sys.executable, SCRIPT, "--encoder", encoders["hears"]]
    done = subprocess.run(
        [*command, "--data_dir", folder, "--sides", "src"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    median = {}
    for line in done.stdout.splitlines()[1:]:
        name, *values = line[7:26].strip(), *line[26:].split()
        median[name] = float(values[3]) if len(values) > 8 else None
        assert values[-2:] == ["of", "6"]
    assert median["right"] > -1
    for name in ("swapped text", "silence", "noise"):
        assert median[name] < -4
