"""What the user can mend is one line; what only we can mend keeps its traceback."""

import json

import numpy as np
import pytest

from s2st_interleave import __main__ as command_line
from s2st_interleave.data import validate
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.score.asr import AsrError

ARGV = ["validate", "--data_dir", "data/train", "--languages", "es en"]


def run(monkeypatch, error: Exception, *more: str) -> int:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(validate, "run", fail)
    return command_line.main([*ARGV, *more])


@pytest.mark.parametrize(
    "error",
    [
        UserError("data/train: no utterances"),
        AsrError("utterance u1: cannot be read"),
        OSError(28, "No space left on device", "data/train/text.es"),
        FileNotFoundError("exp/encoder is missing"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_user_can_mend_is_one_line(monkeypatch, capsys, error):
    assert run(monkeypatch, error) == 1
    assert capsys.readouterr().err == f"error: validate: {error}\n"


@pytest.mark.parametrize(
    "error",
    [ValueError("operands could not be broadcast"), RuntimeError("size mismatch")],
    ids=lambda error: type(error).__name__,
)
def test_a_bug_of_ours_keeps_its_traceback(monkeypatch, error):
    with pytest.raises(type(error)):
        run(monkeypatch, error)


def test_numpys_own_value_error_is_no_mistake_of_the_user():
    with pytest.raises(ValueError) as caught:
        np.zeros(2) + np.zeros(3)
    assert not isinstance(caught.value, UserError)


def test_debug_shows_where_an_error_of_the_user_comes_from(monkeypatch):
    with pytest.raises(UserError):
        run(monkeypatch, UserError("no"), "--debug", "true")
    assert run(monkeypatch, UserError("no"), "--debug", "false") == 1


def test_json_that_is_none_names_its_file(tmp_path):
    path = tmp_path / "stage.json"
    path.write_text(json.dumps({"a": 1})[:-1])
    with pytest.raises(UserError, match=r"stage\.json: not JSON"):
        read_json(path)
