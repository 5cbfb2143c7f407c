"""How many tokens an LLM has positions for, by its configuration."""

from typing import Any

# Of the library's families; a configuration has one of them or none.
NAMES = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)


def max_positions(config: Any) -> int | None:
    """Tokens of a sequence; None of an LLM that has no such limit (ALiBi, recurrence).

    `config` is Hugging Face's, of an LLM or of what has one inside.
    """
    text = config.get_text_config()
    values = (getattr(text, name, None) for name in NAMES)
    return next(
        (value for value in values if isinstance(value, int) and value > 0), None
    )
