"""An example as HTML: recordings to play, spectrograms with words, texts with differences."""

from collections.abc import Iterator, Sequence
from html import escape

from s2st_interleave.align.quality import MIN_SCORE
from s2st_interleave.align.words import Word
from s2st_interleave.report.differences import attributes, differences, marked
from s2st_interleave.report.examples import Answer, Example, Said, Track
from s2st_interleave.report.sounds import Sound, data_uri
from s2st_interleave.show.glyphs import legal
from s2st_interleave.show.glyphs import width as text_width

MOST_EM = 80  # the widest spectrogram, which scrolls
WORD_EM, PAD_EM = 0.8, 0.4  # the font of words below it, and what stands around them


def text(value: str) -> str:
    """A text that may hold anything, for HTML."""
    return escape(legal(value))


def article(example: Example, number: int, score_name: str) -> str:
    """The element of one utterance; `score_name` is the heading of its scores."""
    reasons = "; ".join(example.choice.reasons)
    lines = [
        f'<article class="example" id="example-{number}">',
        f"<h3>{text(example.choice.id)}</h3>",
        f'<p class="dim">{text(reasons)}</p>',
        "<dl>",
    ]
    for title, code, said in example.texts:
        lines.append(
            f"<dt>{text(title)} ({text(code)})</dt>"
            f"<dd {attributes(said, code)}>{text(said)}</dd>"
        )
    lines.append('</dl><div class="tracks">')
    for track in example.tracks:
        heading = f"{track.title} ({track.language}){_seconds(track)}"
        lines += ['<div class="track">', f"<h4>{text(heading)}</h4>"]
        lines += [*_played(track, f"{track.title}, example {number}"), "</div>"]
    lines.append('</div><div class="tracks">')
    for said in example.said:
        lines += _said(said, number, score_name)
    lines.append("</div></article>")
    return "\n".join(lines)


def _said(said: Said, number: int, score_name: str) -> Iterator[str]:
    yield '<div class="track">'
    seconds = _seconds(said.track) if said.track else ""
    heading = f"{said.system}: {score_name} {said.score}{seconds}"
    yield f"<h4>{text(heading)}</h4>"
    if said.track is not None:
        yield from _played(said.track, f"{said.system}, example {number}")
    yield "<dl>"
    for answer in said.answers:
        yield f"<dt>{text(answer.title)}</dt>{_difference(answer)}"
    yield "</dl></div>"


def _difference(answer: Answer) -> str:
    code = answer.language
    if not answer.text.strip():
        return '<dd class="dim">(nothing)</dd>'
    if not answer.reference.strip():
        return f"<dd {attributes(answer.text, code)}>{text(answer.text)}</dd>"
    pieces = differences(answer.reference, answer.text, code)
    is_same = all(piece.is_same for piece in pieces)
    note = (
        ' <span class="dim" lang="en" dir="ltr">= reference</span>' if is_same else ""
    )
    return f"<dd {attributes(answer.text, code)}>{marked(pieces, code)}{note}</dd>"


def _played(track: Track, label: str) -> Iterator[str]:
    sound = track.sound
    if sound is not None:
        yield (
            f'<audio controls preload="metadata" aria-label="{text(label)}" '
            f'src="{data_uri(sound.audio, sound.mime)}"></audio>'
        )
        yield _seen(sound, track.words, track.language)
        if sound.seconds > sound.drawn_sec:
            yield f'<p class="note">Only the first {sound.drawn_sec:g} s are kept here.</p>'
    if track.note:
        yield f'<p class="note">{text(track.note)}</p>'


def _seconds(track: Track) -> str:
    return f", {track.sound.seconds:.2f} s" if track.sound else ""


def _seen(sound: Sound, words: Sequence[Word], code: str) -> str:
    """The spectrogram, with lines at the borders of words and the words below it.

    Buttons play a word; the keyboard reaches them. They stand in two rows in turn, so that
    a short word may be wider than its time.
    """
    seconds = sound.drawn_sec
    words = [word for word in words if word.start_sec < seconds]
    marks, names = [], []
    for word in words:
        left, end = (
            100 * min(t, seconds) / seconds for t in (word.start_sec, word.end_sec)
        )
        for place in (left, end):
            mark = f'<span class="border" style="left:{place:.2f}%"></span>'
            if not marks or marks[-1] != mark:
                marks.append(mark)
        doubted = word.score is not None and word.score < MIN_SCORE
        look = "word doubt" if doubted else "word"
        about = f"{word.text}, {word.start_sec:.2f} to {word.end_sec:.2f} s"
        if doubted:
            about += ", which the encoder hardly hears there"
        names.append(
            f'<button type="button" class="{look}" {attributes(word.text, code)} '
            f'title="{text(about)}" data-start="{word.start_sec:g}" '
            f'data-end="{word.end_sec:g}" style="left:{left:.2f}%;'
            f'width:{end - left:.2f}%">{text(word.text)}</button>'
        )
    least = f"min-width:{_least_em(words, seconds):.1f}em" if names else ""
    picture = data_uri(sound.picture, "image/png")
    return (
        f'<div class="scroll"><div class="seen" style="{least}">'
        f'<img alt="Spectrogram, 0 to 8 kHz, {seconds:.2f} s" src="{picture}">'
        f"{''.join(marks)}"
        + (f'<div class="words">{"".join(names)}</div>' if names else "")
        + f'<span class="now" data-seconds="{seconds:g}"></span></div></div>'
    )


def _least_em(words: Sequence[Word], seconds: float) -> float:
    """The width of a spectrogram where each word ends before the next one of its row."""
    starts = [word.start_sec for word in words] + [seconds, seconds]
    needed = [
        (text_width(word.text, WORD_EM) + PAD_EM) / max(later - word.start_sec, 0.01)
        for word, later in zip(words, starts[2:], strict=True)
    ]
    return min(seconds * max(needed), MOST_EM)
