"""Options of an LLM and names of its files, without importing torch."""

from typing import Literal

Attention = Literal["auto", "flash_attention_2", "sdpa", "eager"]


VOCABULARY_FILE = "units_vocabulary.json"
TRAINED_FILE = "trained.safetensors"  # adapters and rows that a resumed LoRA run loads
HEADS_FILE = "training/unit_heads.safetensors"  # that a resumed run loads as well
