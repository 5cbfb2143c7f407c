"""Folders of tiny causal LMs."""

from functools import cache

import pytest
import torch
import transformers
from tiny_llms import KINDS, NO_BOS, NUM_ROWS
from transformers import AutoModelForCausalLM, AutoTokenizer


@pytest.fixture(scope="session")
def folder(text_llm, tmp_path_factory):
    """A function from a kind to a Hugging Face directory of it."""
    root = tmp_path_factory.mktemp("text llms")

    @cache
    def make(kind: str):
        tokenizer = AutoTokenizer.from_pretrained(text_llm)
        bos = tokenizer.bos_token_id
        if kind in NO_BOS:
            tokenizer.bos_token = bos = None
        tokenizer.save_pretrained(root / kind)
        config = getattr(transformers, f"{kind.split()[0]}Config")(
            vocab_size=NUM_ROWS,
            bos_token_id=bos,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=None,
            **KINDS[kind],
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            AutoModelForCausalLM.from_config(config).save_pretrained(root / kind)
        return root / kind

    return make
