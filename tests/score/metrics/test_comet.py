"""COMET: a real, tiny model where its package is installed, else what to install."""

import importlib.util
from pathlib import Path

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.score.asr import AsrOptions
from s2st_interleave.score.evidence import Evidence, Tools
from s2st_interleave.score.measure import measure
from s2st_interleave.score.metrics.comet import COMET

INSTALLED = importlib.util.find_spec("comet") is not None
REFERENCES = {"a": "the house is red", "b": "it rains", "c": "good day"}
SOURCES = {"a": "la casa es roja", "b": "llueve", "c": "buenos días"}


def evidence(weights: Path | None) -> Evidence:
    tools = Tools(AsrOptions(), Path("cache"), weights=weights)
    heard = {"a": "The house is red.", "b": "snow"}
    return Evidence(REFERENCES, heard, sources=SOURCES, tools=tools)


@pytest.mark.skipif(INSTALLED, reason="unbabel-comet is installed")
def test_what_to_install_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match="pip install unbabel-comet") as refused:
        COMET.count(evidence(tmp_path))
    assert "\n" not in str(refused.value)


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(UserError, match="comet wants weights: --metric_weights DIR"):
        COMET.signature(evidence(None))
    with pytest.raises(UserError, match="comet: no such folder"):
        COMET.signature(evidence(tmp_path))
    (tmp_path / "comet").mkdir()
    with pytest.raises(UserError, match=r"checkpoints/model\.ckpt: no such file"):
        COMET.signature(evidence(tmp_path))


@pytest.mark.skipif(not INSTALLED, reason="pip install unbabel-comet")
def test_a_model_rates_every_answer_also_a_missing_one(tmp_path):
    tiny_model(tmp_path / "comet", tmp_path / "encoder")
    found = measure(COMET, evidence(tmp_path), num_resamples=20, seed=0)
    assert found.score.num_utterances == 3
    mean = sum(found.utterances.values()) / 3
    assert found.score.value == pytest.approx(mean)
    assert len(set(found.utterances.values())) == 3
    assert found.score.signature.startswith("sha256:")


def tiny_model(folder: Path, encoder: Path) -> None:
    """A COMET of random weights as the hub has it, with its encoder's files beside it."""
    import pytorch_lightning
    import torch
    import yaml
    from comet.models import RegressionMetric
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import XLMRobertaConfig, XLMRobertaTokenizerFast

    words = " ".join([*REFERENCES.values(), *SOURCES.values(), "snow"]).split()
    known = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *dict.fromkeys(words)]
    vocabulary = {word: number for number, word in enumerate(known)}
    words_alone = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words_alone.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("<s>", 0), ("</s>", 2)]
    words_alone.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=ends
    )
    XLMRobertaTokenizerFast(tokenizer_object=words_alone).save_pretrained(encoder)
    sizes = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2}
    config = XLMRobertaConfig(vocab_size=100, intermediate_size=16, **sizes)
    config.save_pretrained(encoder)
    torch.manual_seed(0)
    model = RegressionMetric(
        pretrained_model=str(encoder),
        hidden_sizes=[8],
        load_pretrained_weights=False,
        local_files_only=True,
    )
    trainer = pytorch_lightning.Trainer(logger=False, accelerator="cpu")
    trainer.strategy.connect(model)
    (folder / "checkpoints").mkdir(parents=True)
    trainer.save_checkpoint(folder / "checkpoints" / "model.ckpt")
    hparams = dict(model.hparams) | {"class_identifier": "regression_metric"}
    (folder / "hparams.yaml").write_text(yaml.safe_dump(hparams))
