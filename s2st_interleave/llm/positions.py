"""The number of tokens that an LLM has positions for, by its configuration."""

from transformers import PreTrainedConfig

# The names in the library's families; a configuration has one of them or none.
NAMES = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)


def max_positions(config: PreTrainedConfig) -> int | None:
    """Tokens of the longest sequence; None where there is no limit (ALiBi, recurrence).

    `config` is that of an LLM, or of a model that has one inside.
    """
    text = config.get_text_config()
    values = (getattr(text, name, None) for name in NAMES)
    return next(
        (value for value in values if isinstance(value, int) and value > 0), None
    )
