"""Borders between words: midpoints, and gaps only where the speaker pauses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2st_interleave.align.segmentation import segment, surface_words
from s2st_interleave.align.words import (
    Firing,
    Word,
    equal_words,
    place_borders,
    read_words,
    write_words,
)
from s2st_interleave.data.text import spoken_form
from s2st_interleave.encoder.bpe import train_bpe
from s2st_interleave.encoder.ctc import collapse


def test_the_border_is_the_midpoint_between_tokens():
    """CTC is peaky: the end of a token span is not the end of its word."""
    firings = [Firing(0.1, 0.3, -1.0), Firing(0.5, 0.5, -2.0)]
    first, second = place_borders(["a", "b"], firings, 0.6, min_gap_sec=0.3)
    assert (first.start_sec, first.end_sec) == (0.0, 0.4)
    assert (second.start_sec, second.end_sec) == (0.4, 0.6)


def test_a_long_pause_belongs_to_nobody():
    firings = [Firing(1.0, 1.0, 0.0), Firing(3.0, 3.0, 0.0)]
    first, second = place_borders(["a", "b"], firings, 5.0, min_gap_sec=0.4)
    assert (first.start_sec, first.end_sec) == (0.8, 1.2)
    assert (second.start_sec, second.end_sec) == (2.8, 3.2)


@given(st.lists(st.floats(0.01, 5), min_size=2, max_size=20), st.floats(0, 1))
def test_words_are_in_order_and_inside_the_audio(times, gap):
    times = sorted(times)
    firings = [Firing(t, t, 0.0) for t in times]
    words = place_borders(["w"] * len(times), firings, times[-1] + 0.02, gap)
    edges = [edge for word in words for edge in (word.start_sec, word.end_sec)]
    assert edges == sorted(edges)
    assert edges[0] >= 0 and edges[-1] <= times[-1] + 0.0201


def test_ctc_segmentation_finds_where_tokens_fire(tmp_path):
    import sentencepiece

    train_bpe(["la casa roja", "la roja casa"] * 10, tmp_path / "bpe.model", 20)
    bpe = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "bpe.model"))
    words = ["La", "casa,", "roja."]
    pieces = [bpe.encode(spoken_form(word)) for word in words]
    log_probs = np.full((80, bpe.get_piece_size()), -8.0, dtype=np.float32)
    log_probs[:, 0] = -0.01
    frame, fired = 3, []
    for word in pieces:
        fired.append(frame)
        for piece in word:
            log_probs[frame, [0, piece]] = -8.0, -0.01
            frame += 2
        frame += 6
    firings = segment(log_probs, words, bpe, 0.04)
    frames_fired = [round(f.first_sec / 0.04 - 0.5) for f in firings]
    assert frames_fired == fired
    with pytest.raises(ValueError, match="audio is shorter than text"):
        segment(log_probs[: sum(map(len, pieces)) - 1], words, bpe, 0.04)


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("last", [17, 18, 19])
def test_speech_may_begin_and_end_with_its_recording(first, last, tmp_path):
    """The library lets nothing fire in the first two frames and in the last one."""
    import sentencepiece

    train_bpe(["la casa roja", "la roja casa"] * 10, tmp_path / "bpe.model", 20)
    bpe = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "bpe.model"))
    head, tail = (bpe.encode(word) for word in ("la", "roja"))
    log_probs = np.full((20, bpe.get_piece_size()), -8.0, dtype=np.float32)
    log_probs[:, 0] = -0.01
    places = [*enumerate(head, first), *enumerate(tail, last + 1 - len(tail))]
    for frame, piece in places:
        log_probs[frame, [0, piece]] = -8.0, -0.01
    firings = segment(log_probs, ["la", "roja"], bpe, 0.04)
    assert round(firings[0].first_sec / 0.04 - 0.5) == first
    assert round(firings[1].last_sec / 0.04 - 0.5) == last
    assert all(firing.score > -0.1 for firing in firings)
    cut = segment(log_probs, ["la", "roja"], bpe, 0.04, blank_edges=False)
    assert (cut[0].score > -0.1) == (first == 2) and (cut[1].score > -0.1) == (
        last < 19
    )


def test_words_without_a_sound_join_their_neighbour():
    assert surface_words("¿ Qué - dices ?") == ["¿ Qué -", "dices ?"]
    assert spoken_form("¿Qué? L’eau, O'Neill's 'x'") == "qué l'eau o'neill's x"


def test_words_file_round_trip_and_its_errors(tmp_path):
    path = tmp_path / "words.es.jsonl"
    words = {"b": [Word("él", 0.0, 0.5, -1.0)], "a": equal_words(["x", "y"], 1.0)}
    write_words(path, words)
    assert read_words(path) == words
    path.write_text(path.read_text() + '{"id": "c", "words": [["x", 1]]}\n')
    with pytest.raises(ValueError, match=r"words\.es\.jsonl:3"):
        read_words(path)


def test_greedy_ctc_collapses_repeats_and_blanks():
    assert collapse([0, 5, 5, 0, 5, 6, 0]) == [5, 5, 6]
