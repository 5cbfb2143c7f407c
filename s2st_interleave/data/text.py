"""Transcripts as they come, made uniform without changing a word."""

import re
import unicodedata
from collections.abc import Iterable

# What nobody hears or sees: soft hyphen, zero-width space, BOM, marks of direction. The
# joiners U+200C and U+200D stay: they change letters of Persian or Tamil.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)

# Letters of Chinese and Japanese, which put no space between words: each counts as one.
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_UNSPACED += "\uff66-\uff9f\U00020000-\U0003134f"
_TOKEN = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)")
_MARKS = "\u3001-\u303f\uff01-\uffef"  # their punctuation, and letters as wide
_NO_SPACE = re.compile(f"[{_UNSPACED}{_MARKS}]")


def clean(text: str) -> str:
    """NFC, one space between words, no control or invisible characters.

    >>> clean("  cafe\\u0301\\u00a0 con\\u200b leche\\ufeff ")
    'café con leche'
    """
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    spaced = (" " if unicodedata.category(c) == "Cc" else c for c in visible)
    return " ".join("".join(spaced).split())


def tokens(text: str) -> list[str]:
    """What lies between spaces, and each letter of Chinese or Japanese by itself.

    >>> tokens("dos cafés"), tokens("GPU を2枚"), join(tokens("GPU を2枚"))
    (['dos', 'cafés'], ['GPU', ' を', '2', '枚'], 'GPU を2枚')
    """
    found: list[str] = []
    for token in _TOKEN.findall(text):
        left = found[-1] if found else ""
        bare = token.strip()
        # A space that `join` would not put there stays with the token.
        lost = left and token != bare and not gap(left, bare)
        found.append(f" {bare}" if lost else bare)
    return found


def gap(left: str, right: str) -> str:
    """What stands between two tokens: a space, but none beside an unspaced script."""
    if not left or right.startswith(" ") or _NO_SPACE.match(left[-1]):
        return ""
    return "" if _NO_SPACE.match(right) else " "


def join(words: Iterable[str]) -> str:
    """Tokens as a text again: what `tokens` has cut."""
    text = ""
    for word in words:
        text += gap(text, word) + word
    return text


def has_words(text: str) -> bool:
    """Whether anything of it could be spoken: a letter or a digit of any script."""
    return any(c.isalnum() for c in text)


def spoken_form(text: str) -> str:
    """What the CTC model is trained to hear: lower case, no punctuation, spaced words.

    >>> spoken_form("Well-known: O'Neill, 'S.A.'?"), spoken_form("今日は、雨。")
    ("well known o'neill s a", '今 日 は 雨')
    """
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    # Combining marks (category M) belong to the letter before them.
    letters = (
        c if c.isalnum() or c == "'" or unicodedata.category(c)[0] == "M" else " "
        for c in folded
    )
    words = (word.strip(" '") for word in tokens("".join(letters)))
    return " ".join(word for word in words if word)


def same_when_spoken(text: str) -> str:
    """What texts have in common that sound alike: case, marks and spaces are left out.

    >>> same_when_spoken("Dos\u00a0CAFE\u0301S!") == same_when_spoken("dos caf\u00e9s ")
    True
    """
    return re.sub("['\u02bc]", "", spoken_form(clean(text)).casefold())
