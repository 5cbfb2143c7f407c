"""Greedy decoding: answers that leave the batch when they end, against batches that wait."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import Row, side_by_side
from s2st_interleave.decode.generate import generate
from s2st_interleave.decode.grammar import Grammar, Limits
from s2st_interleave.decode.stream import Question, stream
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.llm import model as llm
from s2st_interleave.progress import quiet_transformers

NUM_UTTERANCES, NUM_UNITS = 50, 200
# Random weights end no block, so limits do: 15 text tokens twice, and a unit for each
# given unit, of which an utterance of the mini corpus has 60 to 160.
LIMITS = Limits(max_text_tokens=15, max_unit_ratio=1.0, min_max_units=1)


def rows() -> Iterator[Row]:
    for name, num_text in (("mini", 2000), ("128k vocabulary", 128_256)):
        speech_llm = random_llm(num_text)
        grammar = Grammar(speech_llm.vocabulary, Layout.parse(S2ST), LIMITS)
        asked = questions(speech_llm, grammar)
        what = f"decoding, {name} Llama, batch {NUM_UTTERANCES}"

        def ours(llm_=speech_llm, asked=asked, grammar=grammar) -> None:
            list(stream(asked, llm_, grammar, NUM_UTTERANCES))

        def together(llm_=speech_llm, asked=asked, grammar=grammar) -> None:
            generate(asked, llm_, grammar, True)

        def one_by_one(llm_=speech_llm, asked=asked, grammar=grammar) -> None:
            for question in asked[::5]:
                generate([question], llm_, grammar, True)

        more = {"amount": NUM_UTTERANCES, "unit": "utterances/s", "repeats": 3}
        if name == "mini":
            against = "`generate`, one by one (every fifth)"
            yield side_by_side(
                what, against, ours, one_by_one, share=0.2, aim="15x", **more
            )
        against, aim = "`generate` of the batch, same grammar", "2x"
        yield side_by_side(
            what, against, ours, together, aim=aim if name == "mini" else "", **more
        )


def random_llm(num_text: int) -> llm.SpeechLlm:
    """The mini recipe's Llama with random weights and units, behind `num_text` text rows."""
    from tokenizers import Tokenizer, models
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    quiet_transformers()
    words = {"<s>": 0, "</s>": 1, "a": 2}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="a")),
        bos_token="<s>",
        eos_token="</s>",
    )
    with torch.random.fork_rng(), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=num_text,
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=1,
        )
        LlamaForCausalLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        speech_llm = llm.extend(Path(folder), NUM_UNITS, new_rows="normal")
    speech_llm.model.eval()
    return speech_llm


def questions(speech_llm: llm.SpeechLlm, grammar: Grammar) -> list[Question]:
    draw, vocabulary = np.random.default_rng(0), speech_llm.vocabulary
    asked = []
    for _ in range(NUM_UTTERANCES):
        num_units = int(draw.integers(60, 161))
        units = vocabulary.unit_ids(draw.integers(0, NUM_UNITS, num_units))
        ids = [vocabulary.bos, *units, vocabulary.sep]
        asked.append(
            Question(ids, grammar.limits.max_units(num_units, 0), float("inf"))
        )
    return asked
