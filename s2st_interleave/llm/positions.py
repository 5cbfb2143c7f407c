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

    `config` is that of an LLM, or of a model that has one inside. Of positions of the kind
    longrope those count that the model was trained on first.
    """
    text = config.get_text_config()
    values = (getattr(text, name, None) for name in NAMES)
    most = next(
        (value for value in values if isinstance(value, int) and value > 0), None
    )
    # These models (Phi-3) read all tokens otherwise once a sequence, or another of its
    # batch, is longer than those of the first training: an answer would change midway.
    rope = getattr(text, "rope_parameters", None) or {}
    if most is not None and rope.get("rope_type") == "longrope":
        first = rope.get("original_max_position_embeddings")
        first = first or getattr(text, "original_max_position_embeddings", None)
        most = min(most, first or most)
    return most
