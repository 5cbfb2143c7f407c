"""CTC segmentation (Kuerzinger et al. 2020; paper Sec. 3.2) by the ctc-segmentation library."""

from collections.abc import Sequence

import numpy as np
from ctc_segmentation import (
    CtcSegmentationParameters,
    ctc_segmentation,
    prepare_token_list,
)
from sentencepiece import SentencePieceProcessor

from s2st_interleave.align.words import Firing
from s2st_interleave.data.text import join, spoken_form, tokens
from s2st_interleave.encoder.bpe import BLANK
from s2st_interleave.errors import UserError

BLANK_EDGES = (2, 1)  # frames before and after in which the library lets no token fire
IMPOSSIBLE = -30.0  # log probability


class Unalignable(UserError):
    """This audio cannot hold this text, whatever the encoder hears in it."""


def surface_words(text: str) -> list[str]:
    """Split a transcript into words; a token without a sound joins the word before it.

    >>> surface_words("- Yes , no ..."), surface_words("今日は、雨。")
    (['- Yes ,', 'no ...'], ['今', '日', 'は、', '雨。'])
    """
    words: list[list[str]] = []
    silent: list[str] = []
    for token in tokens(text):
        if spoken_form(token):
            words.append([*silent, token])
            silent = []
        elif words:
            words[-1].append(token)
        else:
            silent.append(token)
    return [join(word) for word in words]


def segment(
    log_probs: np.ndarray,
    words: Sequence[str],
    bpe: SentencePieceProcessor,
    frame_sec: float,
    *,
    blank_edges: bool = True,
) -> list[Firing]:
    """Say when the tokens of each word fire, one Firing a word, in seconds.

    `log_probs` are float32 (num_frames, num_pieces) of a CTC encoder with `frame_sec`
    seconds a frame. The library lets no token fire in the first two frames and in the last
    one; `blank_edges` puts blank frames there, so that speech may begin and end with its
    recording. Raises Unalignable when the audio has fewer frames than the text has tokens,
    or the text has no tokens.
    """
    pieces = [bpe.encode(spoken_form(word)) for word in words]
    tokens = np.array([piece for word in pieces for piece in word], dtype=np.int64)
    if not all(pieces) or not len(tokens):
        raise Unalignable(
            "there is no word to align, or one that is nothing to the BPE"
        )
    before, after = BLANK_EDGES if blank_edges else (0, 0)
    log_probs = _with_blanks(log_probs, before, after)
    # All tokens are one "utterance" of the library: between two utterances it would
    # demand a blank frame. It adds a start mark and two blanks.
    if len(tokens) + 3 > len(log_probs):
        raise Unalignable(
            f"audio is shorter than text: {len(log_probs) - before - after} frames, "
            f"{len(tokens)} tokens" + ("" if blank_edges else " and 3 around them")
        )
    # The library wants names of pieces for a list of states that nobody reads here.
    config = CtcSegmentationParameters(
        char_list=range(bpe.get_piece_size()), blank=BLANK, index_duration=frame_sec
    )
    truth, _ = prepare_token_list(config, [tokens])
    timings, _, _ = ctc_segmentation(config, log_probs, truth)
    frames = np.round(timings[2 : 2 + len(tokens)] / frame_sec).astype(int)
    scores = log_probs[frames, tokens]
    firings, start = [], 0
    for word in pieces:
        end = start + len(word)
        first, last = ((frames[[start, end - 1]] - before + 0.5) * frame_sec).tolist()
        firings.append(Firing(first, last, float(scores[start:end].mean())))
        start = end
    return firings


def _with_blanks(log_probs: np.ndarray, before: int, after: int) -> np.ndarray:
    """Log probabilities with so many frames around them in which nothing can fire."""
    if not before and not after:
        return log_probs
    blank = np.full((1, log_probs.shape[1]), IMPOSSIBLE, log_probs.dtype)
    blank[:, BLANK] = 0
    return np.concatenate([blank.repeat(before, 0), log_probs, blank.repeat(after, 0)])
