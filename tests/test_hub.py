"""Models by name and revision; how they are fetched is the library's business."""

from pathlib import Path

import pytest
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from s2st_interleave import hub
from s2st_interleave.errors import UserError
from s2st_interleave.hub import pretrained, split_revision
from s2st_interleave.llm.model import load_text_llm
from s2st_interleave.stages.encoder import model_input


def test_a_revision_reaches_the_library(monkeypatch):
    asked = []

    def refuse(name, *, revision, **_):
        asked.append((name, revision))
        raise OSError("no network")

    for auto in (AutoConfig, AutoModelForCausalLM, AutoTokenizer):
        monkeypatch.setattr(
            auto,
            "from_pretrained",
            lambda pretrained_model_name_or_path, **more: refuse(
                pretrained_model_name_or_path, **more
            ),
        )
    monkeypatch.setattr(hub, "_in_reach", lambda *_: True)
    with pytest.raises(UserError, match="no network"):
        load_text_llm("meta-llama/Llama-3.2-1B@4e20de36")
    assert asked == [("meta-llama/Llama-3.2-1B", "4e20de36")]


def test_a_name_without_one_is_the_newest():
    assert split_revision("large-v3") == ("large-v3", None)
    assert pretrained("a/b")["revision"] == "main"


def test_a_folder_may_have_an_at_in_its_name(tmp_path, text_llm):
    folder = tmp_path / "me@home"
    folder.symlink_to(text_llm)
    model, _ = load_text_llm(folder)
    assert model.config.vocab_size == load_text_llm(text_llm)[0].config.vocab_size


def test_a_model_with_another_revision_is_another_input():
    names = [Path(f"meta-llama/Llama-3.2-1B{end}") for end in ("", "@1", "@2")]
    assert len({model_input(name) for name in names}) == 3


@pytest.mark.parametrize("cls", [AutoConfig, AutoTokenizer, AutoModelForCausalLM])
def test_a_hub_out_of_reach_is_told_and_what_helps(cls, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "huggingface_hub.hf_api.constants.ENDPOINT", "http://127.0.0.1:9"
    )
    hub._in_reach.cache_clear()
    with pytest.raises(UserError, match=r"out of reach: name a folder .* set HF_HOME"):
        hub.load(cls, f"nobody/has-{cls.__name__}")
