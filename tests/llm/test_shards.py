"""What is saved in several files is read by all who read one: resume, decode, pack."""

from dataclasses import asdict, dataclass
from functools import partial

import pytest
import torch
from fit_task import fit_task
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, PreTrainedModel

from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm import model as llm
from s2st_interleave.pack import command as pack
from s2st_interleave.train import checkpoint
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.options import TrainOptions

whole = PreTrainedModel.save_pretrained


@pytest.fixture
def small_files(monkeypatch):
    """The library cuts at 50 GB: a model of 14 billion weights in fp32."""
    monkeypatch.setattr(
        PreTrainedModel,
        "save_pretrained",
        lambda *args, **more: whole(*args, max_shard_size="20KB", **more),
    )


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    max_steps: int = 3
    batch_size: int = 4
    save_every: int = 1
    eval_every: int = 3
    num_threads: int = 1


def weights(model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first: dict, second: dict) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first | second)


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_a_run_is_resumed_from_several_files(
    text_llm, small_dump, small_files, tmp_path, lora_rank
):
    interleaving = Interleaving(Schedule("constant", 0.5))
    make = partial(llm.extend, text_llm, 20, lora_rank=lora_rank)
    data = (small_dump, small_dump)
    task = lambda: InterleavedTask(make(), *data, interleaving, 4, 1, "cpu")  # noqa: E731
    ended, stopped, resumed = task(), task(), task()
    outcome = fit_task(ended, Options(), tmp_path / "whole")
    fit_task(stopped, Options(max_steps=2), tmp_path / "stopped")
    fit_task(resumed, Options(), tmp_path / "stopped")
    assert same(weights(ended.model), weights(resumed.model))

    files = sorted(outcome.last.glob("*.safetensors"))
    assert len(files) > 2 and not (outcome.last / "model.safetensors").exists()
    # Decoding, the next training and a pack read them as well.
    sample = ended.sample()
    assert torch.allclose(llm.SpeechLlm.load(outcome.last).sample(), sample, atol=1e-4)
    assert torch.allclose(llm.extend(outcome.last, 20).sample(), sample, atol=1e-4)
    pack.copy(pack._models(outcome.last), tmp_path / "packed")
    loaded = llm.SpeechLlm.load(tmp_path / "packed").sample()
    assert torch.allclose(loaded, sample, atol=1e-4)


def test_a_text_llm_of_several_files_is_a_start(text_llm, small_files, tmp_path):
    model, tokenizer = llm.load_text_llm(text_llm)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    first, second = (llm.extend(source, 20).model for source in (text_llm, tmp_path))
    assert same(weights(first), weights(second))


def test_an_export_leaves_no_file_of_another_number(text_llm, tmp_path, monkeypatch):
    """A reader takes model.safetensors where it is there, however old."""
    model = AutoModelForCausalLM.from_pretrained(text_llm)
    out = tmp_path / "out"
    out.mkdir()
    for number, size in enumerate(("20KB", "1GB", "30KB", "20KB")):
        source = checkpoint.path(tmp_path, number)
        model.lm_head.weight.data += 1
        whole(model, source, max_shard_size=size)
        checkpoint.export(source, out)
        assert same(weights(AutoModelForCausalLM.from_pretrained(out)), weights(model))
        assert {f.name for f in out.glob("model*")} == {
            f.name for f in source.glob("model*")
        }


def test_a_missing_file_is_named(text_llm, small_files, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(text_llm)
    model.save_pretrained(tmp_path)
    write_json(tmp_path / checkpoint.META, asdict(checkpoint.Progress()))
    checkpoint.load_model(tmp_path, model)
    lost = sorted(tmp_path.glob("model-*.safetensors"))[1]
    name = min(load_file(lost))
    lost.unlink()
    with pytest.raises(UserError, match=rf"weights are missing in .*{name[:12]}"):
        checkpoint.load_model(tmp_path, model)
