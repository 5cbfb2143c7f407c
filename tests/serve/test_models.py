"""The models that are served: their names, and which can be."""

import pytest
import tiny_pack

from s2st_interleave.errors import UserError
from s2st_interleave.serve import models


def test_models_are_loaded_in_order_and_named_so_that_they_differ(tiny_model, capsys):
    one, other = models.load([str(tiny_model), f"{tiny_model}/"], device="cpu")
    assert one.name != other.name and capsys.readouterr().out.count("loading") == 2
    assert one.facts["task"] == "src_speech -> src_text tgt_text tgt_speech"
    assert one.facts["translates"] is True


@pytest.mark.parametrize(
    ("names", "systems", "titles"),
    [
        (["a/x", "a/y"], ["baseline", "scheduled"], ["baseline", "scheduled"]),
        (["a/x", "b/y"], ["scheduled", "scheduled"], ["x", "y"]),
        (["a/x", "b/x"], ["scheduled", "scheduled"], ["a/x", "b/x"]),
        (["a/x", "a/x"], ["scheduled", "scheduled"], ["1: a/x", "2: a/x"]),
        (["a/x"], [""], ["x"]),
    ],
)
def test_titles_are_the_shortest_that_tell_models_apart(names, systems, titles):
    assert models._titles(names, systems) == titles


def test_a_model_that_hears_no_speech_is_refused(tmp_path):
    tiny_pack.write(tmp_path / "reader", "src_text -> tgt_text tgt_speech")
    with pytest.raises(UserError, match="hears no speech"):
        models.load([str(tmp_path / "reader")], device="cpu")


def test_a_task_without_a_translation_has_no_language_to_translate_into(tmp_path):
    tiny_pack.write(tmp_path / "asr", "src_speech -> src_text")
    (model,) = models.load([str(tmp_path / "asr")], device="cpu")
    assert (model.facts["from"], model.facts["to"]) == ("es", None)
    assert model.facts["translates"] is False
