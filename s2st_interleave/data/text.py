"""Makes transcripts uniform without changing a word, and cuts them into tokens."""

import unicodedata
from collections.abc import Iterable

import regex

# Characters without sound or shape: soft hyphen, zero-width space, BOM, marks of
# direction, and selectors of a variant of the sign before them, as in emoji. The joiners
# U+200C and U+200D stay: they change letters of Persian or Tamil.
_INVISIBLE = regex.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)

# Scripts (ISO 15924) that put no space between words. Each letter of Chinese and Japanese
# counts as a word, and so do their marks of repetition and wide forms.
UNSPACED_SCRIPTS = tuple(
    "Hani Bopo Hira Kana Thai Laoo Khmr Mymr Tibt Tale Talu Lana Tavt Java Bali".split()
)
_CJK = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK += "\uff66-\uff9f\U00020000-\U0003134f"
_OTHERS = "".join(rf"\p{{Script={name}}}" for name in UNSPACED_SCRIPTS[4:])
# Digits and punctuation of these scripts are treated like those of other scripts.
_UNSPACED = rf"[{_CJK}[[{_OTHERS}]&&[\p{{L}}\p{{M}}]]]"
_EXTEND = r"\p{M}\p{Grapheme_Cluster_Break=Extend}\u200d"
# Amharic has this sign between words, with or without a space behind it.
_WORD_SPACE = "\u1361"
_RUN = rf"(?:[^\s{_UNSPACED}{_WORD_SPACE}]++\p{{M}}*+)+{_WORD_SPACE}*+|{_WORD_SPACE}++"
# A letter with its marks, and in Burmese or Khmer with a stacked letter. Thai and Lao
# write some vowels before the letter after which they are spoken.
_STACKER = r"[\u1039\u17d2\u1a60\u1b44\ua9c0]"
_CLUSTER = (
    rf"(?:\p{{Logical_Order_Exception}}(?={_UNSPACED}))?{_UNSPACED}"
    rf"(?:[{_EXTEND}\p{{Grapheme_Cluster_Break=SpacingMark}}]|(?<={_STACKER}){_UNSPACED})*"
)
# Spaces are looked at from their first alone: from each, many of them would take long.
_TOKEN = regex.compile(rf"(?V1)(?<!\s)\s*+(?:{_CLUSTER}|{_RUN})")
_MARKS = "\u3001-\u303f\uff01-\uffef"  # Chinese punctuation, and letters as wide
_NO_SPACE = regex.compile(rf"(?V1)[{_UNSPACED}{_MARKS}{_WORD_SPACE}]")
_UNSPACED_FROM = "\u0e00"  # the first sign of Thai, the first of these scripts
# Signs that are little else, and quotes and accents where they stand between letters.
_APOSTROPHE = regex.compile("[\u02bb\u02bc\u00b4]|(?<=\\w)[\u2018\u2019`\u2032](?=\\w)")
# Signs of trade, which NFKC would spell out, rings around letters, and the joiner.
_UNSPOKEN = regex.compile(r"[\u2120\u2122\u200d]|\p{Me}")
# Letters of Malayalam and Bengali that were written as three signs before they had their own.
_JOINED = {
    f"{letter}{virama}\u200d": joined
    for letters, virama, joint in (
        (
            "\u0d23\u0d28\u0d30\u0d32\u0d33\u0d15",
            "\u0d4d",
            "\u0d7a\u0d7b\u0d7c\u0d7d\u0d7e\u0d7f",
        ),
        ("\u09a4", "\u09cd", "\u09ce"),
    )
    for letter, joined in zip(letters, joint, strict=True)
}
# The vowel am of Thai and Lao is cut in two, of which one stands before a mark of tone.
_TONE_BEFORE_AM = regex.compile("([\u0e48-\u0e4b\u0ec8-\u0ecb])([\u0e4d\u0ecd])")
_ARABIC_MARK = "\u061c"  # of direction
# Letters that keyboards have as those of another language, by the language's code.
_PERSIAN = str.maketrans("كيى", "کیی")
_ROMANIAN = str.maketrans("şţŞŢ", "șțȘȚ")
LIKE_LETTERS = {"fa": _PERSIAN, "ur": _PERSIAN, "ro": _ROMANIAN}
STROKE = "\u0640"  # lengthens an Arabic word, and is no letter
_ACCENT_OF_NOTHING = regex.compile(r"(?<![\p{L}\p{M}\p{N}])\p{M}+")
_EXTENDS = regex.compile(f"[{_EXTEND}]")
_CHARACTER = regex.compile(r"\X\p{M}*")


def clean(text: str) -> str:
    """NFC, one space between words, no control or invisible characters.

    >>> clean("  cafe\\u0301\\u00a0 con\\u200b leche\\ufeff ")
    'café con leche'
    """
    visible = visible_only(unicodedata.normalize("NFC", text))
    spaced = (" " if unicodedata.category(c) == "Cc" else c for c in visible)
    return " ".join("".join(spaced).split())


def visible_only(text: str) -> str:
    """`text` without characters that have neither sound nor shape."""
    return _INVISIBLE.sub("", text)


def characters(text: str) -> list[str]:
    """The characters of a text as readers count them, each with its marks, without spaces.

    >>> characters("ไป ด้วย"), characters("हिंदी")
    (['ไ', 'ป', 'ด้', 'ว', 'ย'], ['हिं', 'दी'])
    """
    return _CHARACTER.findall("".join(text.split()))


def tokens(text: str) -> list[str]:
    """Cut a text at its spaces, and into single letters in an unspaced script.

    >>> tokens("dos cafés"), tokens("GPU を2枚"), join(tokens("GPU を2枚"))
    (['dos', 'cafés'], ['GPU', ' を', '2', '枚'], 'GPU を2枚')
    >>> tokens("เด็ก 2 คน")
    ['เด็', 'ก', ' 2', ' ค', 'น']
    """
    parts: list[str] = []
    for token in _TOKEN.findall(text):
        left = parts[-1] if parts else ""
        bare = token.strip()
        # `join` would not put a space here, so the token keeps it.
        lost = left and token != bare and not gap(left, bare)
        parts.append(f" {bare}" if lost else bare)
    return parts


def gap(left: str, right: str) -> str:
    """The text between two tokens: a space, but "" beside an unspaced script."""
    if not left or right.startswith(" "):
        return ""
    if left[-1].isascii() and right[:1].isascii():
        return " "
    if _ends_unspaced(left):
        return ""
    return "" if _NO_SPACE.match(right) else " "


def _ends_unspaced(text: str) -> bool:
    """Does a text end in an unspaced script? Shared marks count with their letter."""
    for char in reversed(text):
        if _NO_SPACE.match(char):
            return True
        if not _EXTENDS.match(char):
            return False
    return False


def join(words: Iterable[str]) -> str:
    """The text that `tokens` has cut into `words`."""
    words = tuple(words)
    spaced = " ".join(words)
    is_spaced = spaced.isascii() or max(spaced) < _UNSPACED_FROM
    if is_spaced and "  " not in spaced and spaced[:1] != " ":
        return spaced  # each `gap` is a space
    text = ""
    for word in words:
        text += gap(text, word) + word
    return text


def has_words(text: str) -> bool:
    """Does a text hold a letter or a digit of any script, which could be spoken?"""
    return any(c.isalnum() for c in text)


def plain_apostrophes(text: str) -> str:
    """A text whose apostrophes are all the same sign, however they were typed.

    >>> plain_apostrophes("l\u2019homme, l\u00b4homme, o\u02bbzbek, \u2018so\u2019")
    "l'homme, l'homme, o'zbek, \u2018so\u2019"
    """
    return text if text.isascii() and "`" not in text else _APOSTROPHE.sub("'", text)


def compatible(text: str) -> str:
    """NFKC of a text, in which all spellings of a letter are one, with plain apostrophes.

    Signs that nobody says are left out. It serves comparisons alone: `spoken_form`, which
    encoders have learned and by which corpora are split, stays as it is.
    """
    if text.isascii():
        return plain_apostrophes(text)
    text = text.replace(_ARABIC_MARK, "")
    for signs, letter in _JOINED.items():
        text = text.replace(signs, letter)
    spoken = _UNSPOKEN.sub("", plain_apostrophes(text))
    folded = _TONE_BEFORE_AM.sub(r"\2\1", unicodedata.normalize("NFKC", spoken))
    return folded.replace("\u02bc", "'")  # NFKC cuts the Afrikaans n


def spoken_form(text: str) -> str:
    """The text that the CTC model learns: lower case, no punctuation, spaced words.

    >>> spoken_form("Well-known: O'Neill, 'S.A.'?"), spoken_form("今日は、雨。")
    ("well known o'neill s a", '今 日 は 雨')
    """
    spoken = _UNSPOKEN.sub("", plain_apostrophes(text))
    folded = unicodedata.normalize("NFKC", spoken).lower()
    # NFKC cuts the Afrikaans n; i with a dot is the lower case of a Turkish capital.
    folded = folded.replace("\u02bc", "'").replace("i\u0307", "i")
    folded = _ACCENT_OF_NOTHING.sub("", folded)
    # Combining marks (category M) belong to the letter before them.
    letters = (
        c if c.isalnum() or c == "'" or unicodedata.category(c)[0] == "M" else " "
        for c in folded
    )
    words = (word.strip(" '") for word in tokens("".join(letters)))
    return " ".join(word for word in words if word)


def same_when_spoken(text: str) -> str:
    """A form that texts share if they sound alike: without case, punctuation, extra spaces.

    >>> same_when_spoken("Dos\u00a0CAFE\u0301S!") == same_when_spoken("dos caf\u00e9s ")
    True
    """
    return alike(clean(text))


def alike(text: str) -> str:
    """The spoken form of a text without what writers and programs do not agree on.

    That is the apostrophe, and the letter i, of which Turkish has two, with capitals that
    only its own rules tell apart.
    """
    return spoken_form(text).replace("'", "").replace("ı", "i").casefold()
