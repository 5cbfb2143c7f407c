"""Words of an answer that are not those of its reference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from html import escape

from s2st_interleave.data.languages import language
from s2st_interleave.data.text import characters
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.show.glyphs import is_right_to_left, legal

LEAST_ALIKE = 0.5  # of the letters: words with fewer in common are alike by chance
ANY_PAIR = 1e-3  # what a pair of such words is worth beside one of words that are alike


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
            pieces += _replaced(ours[a:b], theirs[c:d])
        else:
            pieces.append(Piece(tuple(ours[a:b]), tuple(theirs[c:d])))
    return pieces


def _words(text: str, code: str) -> list[str]:
    return text.split() if language(code).unit == "word" else characters(text)


def _replaced(ours: Sequence[str], theirs: Sequence[str]) -> list[Piece]:
    """Pieces of words of which none is the same, in order: those of like letters are pairs.

    Where letters do not decide, words pair from the last one on: articles, which one
    language may lack, stand before their nouns.
    """
    worth = [[0.0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i, old in enumerate(ours, 1):
        for j, new in enumerate(theirs, 1):
            pair = worth[i - 1][j - 1] + _worth(old, new)
            worth[i][j] = max(pair, worth[i - 1][j], worth[i][j - 1])
    pieces: list[Piece] = []
    i, j = len(ours), len(theirs)
    while i or j:
        if (
            i
            and j
            and worth[i][j] == worth[i - 1][j - 1] + _worth(ours[i - 1], theirs[j - 1])
        ):
            i, j = i - 1, j - 1
            pieces.append(Piece((ours[i],), (theirs[j],)))
        elif j and worth[i][j] == worth[i][j - 1]:
            j -= 1
            pieces.append(Piece((), (theirs[j],)))
        else:
            i -= 1
            pieces.append(Piece((ours[i],), ()))
    return pieces[::-1]


@lru_cache(maxsize=10_000)
def _worth(old: str, new: str) -> float:
    """The share of letters that two words have in common, if it is large enough to tell."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for bound in (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio):
        if bound() < LEAST_ALIKE:
            return ANY_PAIR
    return matcher.ratio()


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
