"""The BPE has pieces for the letters of all its texts."""

import sentencepiece

from s2st_interleave.encoder.bpe import train_bpe


def test_a_long_text_is_not_left_out_in_silence(tmp_path):
    """sentencepiece drops what is longer than 4192 bytes; its letters were unknown."""
    path = tmp_path / "bpe.model"
    train_bpe([*["hola mundo"] * 60, 2000 * "မြန်"], path, 40)
    bpe = sentencepiece.SentencePieceProcessor(str(path))
    assert bpe.unk_id() not in bpe.encode("မြန် hola")
