"""Small real artifacts that several tests share: a text LLM and a dump."""

from pathlib import Path

import numpy as np
import pytest

from s2st_interleave import keyed
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side

WORDS = "la casa roja come pan agua gato perro".split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes starts first, so that two workers end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def text_llm(tmp_path_factory) -> Path:
    """A random Llama of two layers with a byte-level BPE, as an HF directory."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("text llm")
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>"
    )
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def random_side(rng: np.random.Generator) -> Side:
    count = int(rng.integers(2, 6))
    lengths = rng.integers(1, 5, count)
    ends = np.cumsum(lengths)
    spans = np.stack([ends - lengths, ends], axis=1).astype(np.int32)
    words = tuple(WORDS[i] for i in rng.integers(0, len(WORDS), count))
    return Side(rng.integers(0, 20, int(ends[-1])).astype(np.int32), words, spans)


@pytest.fixture(scope="session")
def small_dump(tmp_path_factory) -> dump.Dump:
    """Thirty random utterances over twenty units."""
    folder = tmp_path_factory.mktemp("dump")
    rng = keyed.generator("small dump")
    utterances = [
        dump.Utterance(f"u{i:02}", {"src": random_side(rng), "tgt": random_side(rng)})
        for i in range(30)
    ]
    dump.write(folder, utterances, dump.UnitVocabulary(20, 0.04))
    return dump.Dump(folder)
