"""Words of an answer that are not those of its reference."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from itertools import zip_longest

from s2st_interleave.data.languages import language
from s2st_interleave.data.text import characters
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.show.glyphs import is_right_to_left, legal


@dataclass(frozen=True)
class Piece:
    """Words that both texts have, or of which one has none or other ones."""

    reference: tuple[str, ...]
    answer: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        return self.reference == self.answer


def differences(reference: str, answer: str, code: str) -> list[Piece]:
    """The pieces of two texts of the language `code`, normalised as for scores.

    They are words, or letters where a language puts no space between words.

    >>> differences("The red house.", "the house is", "en")
    [Piece(reference=('the',), answer=('the',)), Piece(reference=('red',), answer=()), \
Piece(reference=('house',), answer=('house',)), Piece(reference=(), answer=('is',))]
    """
    normalize = Normalizer(code).normalize
    ours, theirs = (_words(normalize(text), code) for text in (reference, answer))
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    pieces: list[Piece] = []
    for name, a, b, c, d in matcher.get_opcodes():
        if name == "replace":
            pairs = zip_longest(ours[a:b], theirs[c:d])
            pieces += [Piece(_one(first), _one(second)) for first, second in pairs]
        else:
            pieces.append(Piece(tuple(ours[a:b]), tuple(theirs[c:d])))
    return pieces


def _words(text: str, code: str) -> list[str]:
    return text.split() if language(code).unit == "word" else characters(text)


def _one(word: str | None) -> tuple[str, ...]:
    return () if word is None else (word,)


def marked(pieces: list[Piece], code: str) -> str:
    """HTML of the pieces: what is missing is struck out, what is new is underlined."""
    space = " " if language(code).unit == "word" else ""
    return space.join(_marked(pieces, space))


def _marked(pieces: list[Piece], space: str) -> Iterator[str]:
    for piece in pieces:
        old, new = (
            escape(legal(space.join(words)))
            for words in (piece.reference, piece.answer)
        )
        if piece.is_same:
            yield new
        elif not new:
            yield f"<del>{old}</del>"
        elif not old:
            yield f"<ins>{new}</ins>"
        else:
            yield f'<span class="sub"><del>{old}</del> <ins>{new}</ins></span>'


def attributes(text: str, code: str) -> str:
    """The attributes `lang` and `dir` of an element that holds a text.

    >>> attributes("the house", "en"), attributes("שלום", "he")
    ('lang="en" dir="ltr"', 'lang="he" dir="rtl"')
    """
    direction = "rtl" if is_right_to_left(text) else "ltr"
    return f'lang="{escape(code)}" dir="{direction}"'
