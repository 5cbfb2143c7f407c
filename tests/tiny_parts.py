"""Small real artifacts to try things on in seconds: a text LLM and a dump.

python tests/tiny_parts.py tiny      # tiny/llm and tiny/dump
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.data import kaldi, sides
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side
from s2st_interleave.progress import quiet_transformers
from s2st_interleave.stage_dir import open_stage

WORDS = "la casa roja come pan agua gato perro".split()


def write_text_llm(folder: Path) -> None:
    """A random Llama of two layers with a byte-level BPE, as an HF directory."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    quiet_transformers()
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


def utterances() -> list[dump.Utterance]:
    """Thirty random utterances over twenty units."""
    rng = keyed.generator("small dump")
    return [
        dump.Utterance(f"u{i:02}", {"src": random_side(rng), "tgt": random_side(rng)})
        for i in range(30)
    ]


def write_dump(folder: Path) -> None:
    """The utterances as stage 5 writes them, without a stage.json."""
    dump.write(folder, utterances(), dump.UnitVocabulary(20, 0.04))


def write_texts(folder: Path) -> None:
    """Their texts as stage 1 writes them, both in English, without a stage.json."""
    sides.write(folder, {"src": "en", "tgt": "en"})
    for role in ("src", "tgt"):
        texts = {each.id: each.sides[role].text for each in utterances()}
        kaldi.write_table(folder / f"text.{role}", texts)


def random_side(rng: np.random.Generator) -> Side:
    count = int(rng.integers(2, 6))
    lengths = rng.integers(1, 5, count)
    ends = np.cumsum(lengths)
    spans = np.stack([ends - lengths, ends], axis=1).astype(np.int32)
    words = tuple(WORDS[i] for i in rng.integers(0, len(WORDS), count))
    return Side(rng.integers(0, 20, int(ends[-1])).astype(np.int32), words, spans)


@dataclass(frozen=True)
class _Options:
    """A random dump has none."""


def main(folder: Path) -> None:
    write_text_llm(folder / "llm")
    for name, stage, write in (
        ("dump", "dump", write_dump),
        ("data", "data", write_texts),
    ):
        opened = open_stage(folder / name, stage=stage, options=_Options(), inputs={})
        if opened is not None:
            write(folder / name)
            opened.finish(num_in=30, num_out=30)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
