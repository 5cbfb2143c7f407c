"""How wide texts are, and in which direction they run."""

import re
import unicodedata

_NARROW = frozenset("iIjlftr.,:;'!|()[] ")
_BROAD = frozenset("mwMWQO@%&\u2014\u2026")
# XML knows no other control characters, and no lone surrogates.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """`text` with a sign in place of each character that XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", text)


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc")


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def columns(text: str) -> int:
    """Columns of a terminal that a text takes: two for each letter of Chinese."""
    return sum(0 if _is_mark(c) else 1 + _is_wide(c) for c in text)


def width(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif font of this size, rather more than less."""
    return size * sum(map(_share, text))


def _share(char: str) -> float:
    if _is_mark(char):
        return 0.0
    if _is_wide(char):
        return 1.02
    if char in _NARROW:
        return 0.4
    return 0.95 if char in _BROAD else 0.72 if char.isupper() else 0.63


def is_right_to_left(text: str) -> bool:
    """Does the first letter with a direction run from right to left?"""
    directions = (unicodedata.bidirectional(c) for c in text)
    return next((d in ("R", "AL") for d in directions if d in ("L", "R", "AL")), False)


def isolated(text: str) -> str:
    """A text that runs from right to left between marks that keep it off its neighbours."""
    has_rtl = any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)
    return f"\u2068{text}\u2069" if has_rtl else text
