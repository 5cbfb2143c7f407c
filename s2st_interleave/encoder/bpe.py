"""The BPE that the CTC layer of the encoder is over: sentencepiece, with a blank."""

import io
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write

BPE_FILE = "bpe.model"
BLANK = 0  # = pad_token_id = sentencepiece's pad_id


def train_bpe(
    texts: Sequence[str], path: Path, num_pieces: int, character_coverage: float = 1.0
) -> None:
    """Train a sentencepiece BPE whose pad id 0 is the CTC blank, and write it to `path`.

    Raises UserError where `num_pieces` has no room for the characters that are covered.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sorted(texts)),
            model_writer=model,
            model_type="bpe",
            vocab_size=num_pieces,
            hard_vocab_limit=False,
            character_coverage=character_coverage,
            pad_id=BLANK,
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            num_threads=1,
            # Longer texts are left out in silence.
            max_sentence_length=max(4192, *(len(text.encode()) + 1 for text in texts)),
            minloglevel=2,
        )
    except RuntimeError as error:
        raise UserError(
            f"no BPE of {num_pieces} pieces: {error} Raise --num_pieces, or leave out "
            "rare characters by a lower --character_coverage"
        ) from None
    with atomic_write(path, "wb") as stream:
        stream.write(model.getvalue())
