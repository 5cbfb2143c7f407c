"""Several units a step: guesses change how an answer is written, and not what it says."""

from pathlib import Path

import pytest
import torch
from answers import LAYOUT
from test_stream import LIMITS, make, questions  # noqa: F401

from s2st_interleave.decode import rows, stream
from s2st_interleave.decode.drafts import Drafts
from s2st_interleave.decode.generate import Trial, answer_all
from s2st_interleave.decode.grammar import Grammar
from s2st_interleave.errors import UserError
from s2st_interleave.llm import unit_heads
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.llm.options import HEADS_FILE
from s2st_interleave.llm.unit_heads import UnitHeads


def heads_of(llm: SpeechLlm, num: int = 3, spread: float = 0.0) -> UnitHeads:
    """Heads that guess the same unit again, or with a spread others as well."""
    width = llm.model.get_output_embeddings().in_features
    heads = UnitHeads(num, width)
    draw = torch.Generator().manual_seed(0)
    heads.weight.data += spread * torch.randn(heads.weight.shape, generator=draw)
    return heads


@pytest.mark.parametrize("spread", [0.0, 0.2])
@pytest.mark.parametrize("kind", ["Llama", "GPT2", "OPT", "GPTNeoX"])
def test_answers_with_guesses_are_those_without(kind, spread, make, monkeypatch):  # noqa: F811
    monkeypatch.setattr(rows, "SPARE", 3)  # so that rows move, and their memory grows
    llm = make(kind)
    asked, grammar = questions(llm), Grammar(llm.vocabulary, LAYOUT, LIMITS)
    prompts = [each.ids for each in asked]
    assert stream.streams(llm, prompts, 3)
    plain = dict(stream.stream(asked, llm, grammar, 5))
    for size in (1, 5, 20):
        drafts = Drafts(llm, heads_of(llm, 3, spread))
        assert dict(stream.stream(asked, llm, grammar, size, drafts)) == plain
        assert drafts.num_held < 3 * drafts.num_steps
        assert drafts.num_held > 0 or kind == "GPTNeoX"  # which says no unit twice


def test_guesses_take_fewer_steps(make, monkeypatch):  # noqa: F811
    llm = make("Llama")
    asked, grammar = questions(llm), Grammar(llm.vocabulary, LAYOUT, LIMITS)
    reads = []
    read = rows.Rows.read
    count = lambda self, ids: reads.append(ids.shape) or read(self, ids)  # noqa: E731
    monkeypatch.setattr(rows.Rows, "read", count)
    list(stream.stream(asked, llm, grammar, 20))
    num_plain = len(reads)
    drafts = Drafts(llm, heads_of(llm))
    list(stream.stream(asked, llm, grammar, 20, drafts))
    assert len(reads) - num_plain < num_plain
    assert f"{1 + drafts.num_held / drafts.num_steps:.2f} units a step" in str(drafts)


def test_guesses_stop_at_the_last_position_of_the_model(make):  # noqa: F811
    llm = make("GPT2")
    grammar = Grammar(llm.vocabulary, LAYOUT, LIMITS)
    ids = questions(llm)[0].ids
    for most in range(1, 20):
        asked = [stream.Question(ids, 100, most)]
        plain = dict(stream.stream(asked, llm, grammar, 1))
        drafts = Drafts(llm, heads_of(llm))
        assert dict(stream.stream(asked, llm, grammar, 1, drafts)) == plain
        assert len(plain[0]) <= most


def test_a_model_that_sees_a_window_of_columns_takes_no_guesses(make, capsys):  # noqa: F811
    """What lies between its tokens, hidden, would count in the window."""
    llm = make("Mistral")
    prompts = [[0, 4], [0, 4, 5, 6]]
    assert stream.streams(llm, prompts) and not stream.streams(llm, prompts, 2)
    asked = [stream.Question(ids, 5, 100) for ids in prompts]
    trial = Trial().make(asked, llm, 1, 2)
    assert trial.streams and not trial.drafts
    assert "a mistral model is decoded a unit a step" in capsys.readouterr().out
    given = {"a": {LAYOUT.given[0].name: torch.arange(4).numpy()}}
    drafts = Drafts(llm, heads_of(llm))
    plain = answer_all(given, llm, LAYOUT, limits=LIMITS)
    guessed = answer_all(given, llm, LAYOUT, limits=LIMITS, drafts=drafts)
    assert guessed["a"].texts == plain["a"].texts and drafts.num_steps == 0


def test_heads_are_loaded_as_they_were_trained(make, tmp_path: Path):  # noqa: F811
    llm = make("Llama")
    place = (torch.float32, torch.device("cpu"))
    with pytest.raises(UserError, match="has no heads that guess units ahead: train"):
        unit_heads.load(tmp_path, *place)
    unit_heads.add(llm.model, llm.vocabulary, 2)
    heads = llm.model.get_submodule(unit_heads.NAME)
    heads.weight.data += torch.randn(heads.weight.shape)
    unit_heads.save_heads(llm.model, tmp_path)
    loaded = unit_heads.load(tmp_path, *place)
    assert loaded.num == 2 and torch.equal(loaded.weight, heads.weight)
    (tmp_path / HEADS_FILE).write_bytes(b"no weights")
    with pytest.raises(UserError, match="leave out --draft_units"):
        unit_heads.load(tmp_path, *place)
