"""Tiny causal LMs of each real class."""

NUM_UNITS, NUM_ROWS = 20, 320  # more rows than the tokenizer knows, as Qwen has
WIDE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA = WIDE | {"intermediate_size": 64, "num_key_value_heads": 2}
KINDS = {
    "Llama": LLAMA | {"tie_word_embeddings": True},
    "Llama untied": LLAMA | {"tie_word_embeddings": False},
    "Qwen2": LLAMA,
    "Qwen3": LLAMA | {"head_dim": 8},
    "SmolLM3": LLAMA,
    "Mistral": LLAMA,
    "Gemma2": LLAMA | {"head_dim": 8, "final_logit_softcapping": 2.0},
    "Gemma3Text": LLAMA | {"head_dim": 8, "sliding_window": 8},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "resid_pdrop": 0.3},
    "OPT": WIDE | {"ffn_dim": 64, "word_embed_proj_dim": 32, "dropout": 0.3},
    "GPTNeoX": WIDE | {"intermediate_size": 64, "tie_word_embeddings": False},
}
NO_BOS = ("Qwen2", "Qwen3")
