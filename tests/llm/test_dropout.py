"""Dropout acts in any causal LM where it is asked for, or is refused."""

import pytest
import torch
import transformers
from tiny_llms import NUM_ROWS, NUM_UNITS
from transformers import AutoModelForCausalLM, AutoTokenizer

from s2st_interleave.llm import dropout
from s2st_interleave.llm import model as llm


@pytest.mark.parametrize("kind", ["Llama", "GPT2", "OPT", "Gemma3Text", "GPTNeoX"])
@pytest.mark.parametrize("where", ["attention_dropout", "residual_dropout"])
def test_dropout_acts_where_it_is_asked_for_and_nowhere_else(kind, where, folder):
    def passes(**asked) -> list[torch.Tensor]:
        model = llm.extend(folder(kind), NUM_UNITS, **asked).model.train()
        ids = torch.arange(12)[None]
        with torch.no_grad():
            return [model(ids, use_cache=False).logits for _ in range(2)]

    assert torch.equal(*passes())
    assert not torch.equal(*passes(**{where: 0.3}))


def test_an_architecture_without_attention_dropout_says_so(text_llm, tmp_path):
    AutoTokenizer.from_pretrained(text_llm).save_pretrained(tmp_path)
    config = transformers.MambaConfig(
        vocab_size=NUM_ROWS, hidden_size=16, num_hidden_layers=2, state_size=4
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="mamba model has no attention dropout"):
        llm.extend(tmp_path, NUM_UNITS, attention_dropout=0.2)


def test_an_option_that_a_model_only_reads_is_found_out(folder):
    made = llm.extend(folder("Llama"), NUM_UNITS, attention_dropout=0.2)
    dropout.check_attention(made.model)
    for layer in dropout.layers(made.model):
        layer.self_attn.attention_dropout = 0.0
    with pytest.raises(ValueError, match="no attention dropout"):
        dropout.check_attention(made.model)
