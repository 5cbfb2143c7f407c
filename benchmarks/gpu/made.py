"""Random weights and made data: no download, and the same on every machine."""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
)

from benchmarks.gpu.shapes import LLAMA, Shape
from s2st_interleave import keyed
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.model import SpeechLlm

UNIT_SEC = 0.02
MEDIAN_SEC, SPREAD = 3.7, 0.35  # of read sentences of Common Voice: std of log seconds
WORDS_PER_SEC = 2.5
SYLLABLES = "ba co de fi gu la me no pi ru sa te vo xi zu ar en is on ul".split()
ATTENTION_DROPOUT = 0.2  # the paper's


def lexicon() -> list[str]:
    """2,000 words of one to four syllables."""
    rng = keyed.generator("lexicon")
    return ["".join(rng.choice(SYLLABLES, rng.integers(1, 5))) for _ in range(2000)]


def seconds(count: int) -> np.ndarray:
    """Durations of `count` clips in seconds, 1 to 12."""
    rng = keyed.generator("seconds")
    return np.clip(rng.lognormal(np.log(MEDIAN_SEC), SPREAD, count), 1.0, 12.0)


def texts(count: int) -> list[str]:
    """What is said in these clips."""
    rng, words = keyed.generator("texts"), lexicon()
    return [
        " ".join(rng.choice(words, max(2, round(sec * WORDS_PER_SEC))))
        for sec in seconds(count)
    ]


def open_dump(folder: Path, shape: Shape, count: int) -> dump.Dump:
    """`count` utterances in a dump of stage 5, opened."""
    rng = keyed.generator("units")
    spoken = {"src": texts(count), "tgt": texts(count)[::-1]}
    length = {"src": seconds(count), "tgt": seconds(count)[::-1]}
    utterances = []
    for index in range(count):
        sides = {}
        for role in spoken:
            num_units = round(length[role][index] / UNIT_SEC)
            words = spoken[role][index].split()
            ends = np.linspace(0, num_units, len(words) + 1).astype(np.int32)
            sides[role] = Side(
                units=rng.integers(0, shape.num_units, num_units, dtype=np.int32),
                words=tuple(words),
                spans=np.stack([ends[:-1], ends[1:]], axis=1),
            )
        utterances.append(dump.Utterance(f"u{index:05}", sides))
    vocabulary = dump.UnitVocabulary(shape.num_units, UNIT_SEC)
    dump.write(folder, utterances, vocabulary)
    return dump.Dump(folder)


def tokenizer() -> PreTrainedTokenizerFast:
    """A BPE over bytes of the made words, with a mark of begin and end."""
    marks = ["<|begin_of_text|>", "<|end_of_text|>"]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(marks) + len(alphabet) + 100,
        special_tokens=marks,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    bpe.train_from_iterator(lexicon(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=marks[0], eos_token=marks[1]
    )


def llm_file(folder: Path, shape: Shape) -> Path:
    """The configuration of the LLM in a file, as `plan` reads it."""
    if shape.name == "full":
        return LLAMA
    path = folder / "llm.json"
    path.write_text(json.dumps(shape.llm))
    return path


def llm_config(file: Path, vocabulary: Vocabulary) -> PreTrainedConfig:
    """The configuration with rows for marks and units, and the paper's dropout."""
    config = AutoConfig.from_pretrained(file)
    config.vocab_size = vocabulary.size
    config.attention_dropout = ATTENTION_DROPOUT
    for name in ("bos", "eos", "pad"):
        setattr(config, f"{name}_token_id", getattr(vocabulary, name))
    return config


def llm(
    file: Path, shape: Shape, device: torch.device, dtype: torch.dtype, *, bf16: bool
) -> SpeechLlm:
    """The LLM with random weights; `bf16`: products under autocast."""
    names = tokenizer()
    assert isinstance(names.bos_token_id, int) and isinstance(names.eos_token_id, int)
    vocabulary = Vocabulary(
        shape.llm["vocab_size"], shape.num_units, names.bos_token_id, names.eos_token_id
    )
    torch.manual_seed(1)
    with device:
        model = AutoModelForCausalLM.from_config(llm_config(file, vocabulary))
    return SpeechLlm(model.to(dtype).eval(), names, vocabulary, bf16)
