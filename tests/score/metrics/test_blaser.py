"""BLASER 2.0: what it wants is said in one line; a tiny model where it is installed."""

import importlib.util
from pathlib import Path

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.score.asr import AsrOptions
from s2st_interleave.score.evidence import Evidence, Tools
from s2st_interleave.score.metrics.blaser import BLASER

INSTALLED = importlib.util.find_spec("sonar") is not None


def evidence(weights: Path | None) -> Evidence:
    tools = Tools(AsrOptions(), Path("cache"), weights=weights)
    return Evidence(
        {"a": "one"}, {"a": "one"}, language="en", source_language="es", tools=tools
    )


@pytest.mark.skipif(INSTALLED, reason="sonar-space is installed")
def test_what_to_install_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match="pip install sonar-space") as refused:
        BLASER.count(evidence(tmp_path))
    assert "\n" not in str(refused.value)


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(UserError, match="blaser wants weights: --metric_weights DIR"):
        BLASER.signature(evidence(None))
    (tmp_path / "blaser").mkdir()
    (tmp_path / "blaser" / "qe.pt").write_bytes(b"weights")
    with pytest.raises(UserError, match=r"blaser/es\.pt: no such file"):
        BLASER.signature(evidence(tmp_path))
