"""What is known of each language, one line each, and the codes that name them.

    python -m s2st_interleave.data.languages de zh-CN   # fails where a code is none

Scores, texts and recogniser take what they need to know of a language from this table.
"""

import difflib
import sys
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from s2st_interleave.data.text import UNSPACED_SCRIPTS
from s2st_interleave.errors import UserError

_NORWEGIAN = {"nb": "no", "nn": "no"}
Unit = Literal["word", "character"]

# Of BCP 47, but no language: undetermined, several, uncoded, none.
_NAMELESS = ("und", "mul", "mis", "zxx")
# What Unicode calls the letters of a script that has more than one kind, or a style.
_HAN = ("Hani", "Bopo")
_LETTERS = {
    **dict.fromkeys(("Hans", "Hant", "Hani", "Hanb"), _HAN),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Hrkt": ("Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
    "Aran": ("Arab",),
    "Latf": ("Latn",),
    "Latg": ("Latn",),
    "Cyrs": ("Cyrl",),
    "Geok": ("Geor",),
}

# code     of BCP 47; a region or script behind it (es-419, zh-CN) has the same line.
# unit     word: spaces stand between words, errors are counted in words (WER).
#          character: they do not, errors are counted in characters (CER).
# bleu     sacrebleu's tokeniser: its own for Chinese, Japanese and Korean, whose endings
#          are written together with the word; char where nobody writes spaces.
# rules    of the normaliser, see score/normalize.py: dotless is basic for languages that
#          write ı and i, with the capitals I and İ.
# whisper  the code by which Whisper knows it, -: it does not.
_TABLE = """
af   word       13a       basic    af   Afrikaans
am   word       13a       basic    am   Amharic
ar   word       13a       basic    ar   Arabic
as   word       13a       basic    as   Assamese
az   word       13a       dotless  az   Azerbaijani
ba   word       13a       basic    ba   Bashkir
be   word       13a       basic    be   Belarusian
bg   word       13a       basic    bg   Bulgarian
bn   word       13a       basic    bn   Bengali
bo   character  char      basic    bo   Tibetan
br   word       13a       basic    br   Breton
bs   word       13a       basic    bs   Bosnian
ca   word       13a       basic    ca   Catalan
cs   word       13a       basic    cs   Czech
cy   word       13a       basic    cy   Welsh
da   word       13a       basic    da   Danish
de   word       13a       basic    de   German
el   word       13a       basic    el   Greek
en   word       13a       english  en   English
es   word       13a       basic    es   Spanish
et   word       13a       basic    et   Estonian
eu   word       13a       basic    eu   Basque
fa   word       13a       basic    fa   Persian
fi   word       13a       basic    fi   Finnish
fil  word       13a       basic    tl   Filipino
fo   word       13a       basic    fo   Faroese
fr   word       13a       basic    fr   French
gl   word       13a       basic    gl   Galician
gu   word       13a       basic    gu   Gujarati
ha   word       13a       basic    ha   Hausa
haw  word       13a       basic    haw  Hawaiian
he   word       13a       basic    he   Hebrew
hi   word       13a       basic    hi   Hindi
hr   word       13a       basic    hr   Croatian
ht   word       13a       basic    ht   Haitian Creole
hu   word       13a       basic    hu   Hungarian
hy   word       13a       basic    hy   Armenian
id   word       13a       basic    id   Indonesian
is   word       13a       basic    is   Icelandic
it   word       13a       basic    it   Italian
ja   character  ja-mecab  basic    ja   Japanese
jv   word       13a       basic    jw   Javanese
ka   word       13a       basic    ka   Georgian
kk   word       13a       basic    kk   Kazakh
km   character  char      basic    km   Khmer
kn   word       13a       basic    kn   Kannada
ko   word       ko-mecab  basic    ko   Korean
la   word       13a       basic    la   Latin
lb   word       13a       basic    lb   Luxembourgish
ln   word       13a       basic    ln   Lingala
lo   character  char      basic    lo   Lao
lt   word       13a       basic    lt   Lithuanian
lv   word       13a       basic    lv   Latvian
mg   word       13a       basic    mg   Malagasy
mi   word       13a       basic    mi   Maori
mk   word       13a       basic    mk   Macedonian
ml   word       13a       basic    ml   Malayalam
mn   word       13a       basic    mn   Mongolian
mr   word       13a       basic    mr   Marathi
ms   word       13a       basic    ms   Malay
mt   word       13a       basic    mt   Maltese
my   character  char      basic    my   Burmese
nb   word       13a       basic    no   Norwegian Bokmal
ne   word       13a       basic    ne   Nepali
nl   word       13a       basic    nl   Dutch
nn   word       13a       basic    nn   Norwegian Nynorsk
no   word       13a       basic    no   Norwegian
oc   word       13a       basic    oc   Occitan
pa   word       13a       basic    pa   Punjabi
pl   word       13a       basic    pl   Polish
ps   word       13a       basic    ps   Pashto
pt   word       13a       basic    pt   Portuguese
ro   word       13a       basic    ro   Romanian
ru   word       13a       basic    ru   Russian
sa   word       13a       basic    sa   Sanskrit
sd   word       13a       basic    sd   Sindhi
si   word       13a       basic    si   Sinhala
sk   word       13a       basic    sk   Slovak
sl   word       13a       basic    sl   Slovenian
sn   word       13a       basic    sn   Shona
so   word       13a       basic    so   Somali
sq   word       13a       basic    sq   Albanian
sr   word       13a       basic    sr   Serbian
su   word       13a       basic    su   Sundanese
sv   word       13a       basic    sv   Swedish
sw   word       13a       basic    sw   Swahili
ta   word       13a       basic    ta   Tamil
te   word       13a       basic    te   Telugu
tg   word       13a       basic    tg   Tajik
th   character  char      basic    th   Thai
tk   word       13a       basic    tk   Turkmen
tl   word       13a       basic    tl   Tagalog
tr   word       13a       dotless  tr   Turkish
tt   word       13a       basic    tt   Tatar
uk   word       13a       basic    uk   Ukrainian
ur   word       13a       basic    ur   Urdu
uz   word       13a       basic    uz   Uzbek
vi   word       13a       basic    vi   Vietnamese
yi   word       13a       basic    yi   Yiddish
yo   word       13a       basic    yo   Yoruba
yue  character  zh        basic    yue  Cantonese
zh   character  zh        basic    zh   Chinese

ab   word       13a       basic    -    Abkhazian
ast  word       13a       basic    -    Asturian
ceb  word       13a       basic    -    Cebuano
ckb  word       13a       basic    -    Central Kurdish
cv   word       13a       basic    -    Chuvash
dv   word       13a       basic    -    Dhivehi
dz   character  char      basic    -    Dzongkha
eo   word       13a       basic    -    Esperanto
ff   word       13a       basic    -    Fulah
fy   word       13a       basic    -    Western Frisian
ga   word       13a       basic    -    Irish
gd   word       13a       basic    -    Scottish Gaelic
gn   word       13a       basic    -    Guarani
gsw  word       13a       basic    -    Swiss German
hak  character  zh        basic    -    Hakka
hsb  word       13a       basic    -    Upper Sorbian
ia   word       13a       basic    -    Interlingua
ig   word       13a       basic    -    Igbo
kab  word       13a       basic    -    Kabyle
kmr  word       13a       basic    -    Northern Kurdish
ku   word       13a       basic    -    Kurdish
ky   word       13a       basic    -    Kyrgyz
lg   word       13a       basic    -    Ganda
luo  word       13a       basic    -    Luo
mnw  character  char      basic    -    Mon
nan  character  zh        basic    -    Hokkien
nso  word       13a       basic    -    Northern Sotho
ny   word       13a       basic    -    Chichewa
om   word       13a       basic    -    Oromo
or   word       13a       basic    -    Odia
qu   word       13a       basic    -    Quechua
rm   word       13a       basic    -    Romansh
rw   word       13a       basic    -    Kinyarwanda
sah  word       13a       basic    -    Yakut
sat  word       13a       basic    -    Santali
se   word       13a       basic    -    Northern Sami
shn  character  char      basic    -    Shan
st   word       13a       basic    -    Southern Sotho
ti   word       13a       basic    -    Tigrinya
tn   word       13a       basic    -    Tswana
tw   word       13a       basic    -    Twi
ug   word       13a       basic    -    Uyghur
wo   word       13a       basic    -    Wolof
wuu  character  zh        basic    -    Wu Chinese
xh   word       13a       basic    -    Xhosa
zu   word       13a       basic    -    Zulu
"""


@dataclass(frozen=True)
class Language:
    """A line of the table; `whisper` is None where Whisper does not know it."""

    code: str
    unit: Unit
    tokenizer: str
    rules: Literal["english", "basic", "dotless"]
    whisper: str | None
    name: str

    @property
    def error_rate(self) -> str:
        """Of transcripts: "WER", or "CER" where no spaces stand between words."""
        return "WER" if self.unit == "word" else "CER"


def _line(text: str) -> Language:
    code, unit, tokenizer, rules, whisper, name = text.split(maxsplit=5)
    known = None if whisper == "-" else whisper
    return Language(code, unit, tokenizer, rules, known, name)  # type: ignore[arg-type]


LANGUAGES = {one.code: one for one in map(_line, filter(None, _TABLE.splitlines()))}


class LanguageCode(str):
    """A language as BCP 47 writes it: de, zh-CN, es-419, sr-Latn. It names no path.

    Raises UserError for anything else, with a proposal where there is one.
    """

    __slots__ = ()

    def __new__(cls, text: Any) -> "LanguageCode":
        if not (isinstance(text, str) and _is_code(text)):
            near = as_code(str(text))
            raise UserError(
                f"{str(text)!r} is no language code, which BCP 47 writes like de, zh-CN "
                f"or sr-Latn{near and f'; did you mean {near!r}?'}"
            )
        return super().__new__(cls, text)


def language(code: str) -> Language:
    """The line of a code; one with another script than usual is written in that.

    Raises UserError for what is no code, and for a language that is not in the table.

    >>> language("zh-CN").whisper, language("sr-Latn").unit, language("ja-Latn").unit
    ('zh', 'word', 'word')
    """
    tag = _parsed(LanguageCode(code))
    # Its own line, that of its language, or that of the macrolanguage: cmn is Chinese.
    for key in (code, tag.language, _standard(tag.language, macro=True)):
        if key in LANGUAGES:
            return _written(LANGUAGES[key], tag.script)
    raise UserError(
        f"nothing is known of language '{code}': how its words are told apart, how its "
        "errors are counted; add a line for it to the table in "
        "s2st_interleave/data/languages.py"
    )


def scripts(code: str) -> tuple[str, ...]:
    """Scripts (ISO 15924) of the letters that a language is written in, by its code."""
    script = _parsed(code).maximize().script
    return _LETTERS.get(script, (script,))


def in_script(code: str, script: str) -> str:
    """The code of the same language in that script: sr-Latn of sr, sr of sr-Latn."""
    tag = _parsed(code)
    plain = tag.make(language=tag.language, territory=tag.territory)
    if script in scripts(plain.to_tag()):
        return plain.to_tag()
    return plain.update_dict({"script": script}).to_tag()


def _written(known: Language, script: str | None) -> Language:
    """The language in `script`; None: its own."""
    letters = _LETTERS.get(script, (script,)) if script else ()
    if set(letters) <= set(scripts(known.code)):
        return known
    if set(letters) <= set(UNSPACED_SCRIPTS):
        return replace(known, unit="character", tokenizer="char")
    return replace(known, unit="word", tokenizer="13a")


@cache
def alike(one: str, other: str) -> bool:
    """Whether two codes may mean one language: es and es-419, not zh-CN and zh-TW."""
    a, b = (_parsed(_standard(code, macro=True)) for code in (one, other))
    names = {_NORWEGIAN.get(tag.language, tag.language) for tag in (a, b)}
    pairs = ((a.script, b.script), (a.territory, b.territory))
    return len(names) == 1 and all(x is None or y is None or x == y for x, y in pairs)


def same(one: str, other: str) -> bool:
    """Whether two codes are one by BCP 47: iw and he, es and es-Latn."""
    tags = (_parsed(_standard(LanguageCode(code))) for code in (one, other))
    return len({tag.simplify_script().to_tag() for tag in tags}) == 1


@cache
def _parsed(code: str) -> Any:
    from langcodes import Language as Tag

    return Tag.get(code, normalize=False)


def _standard(code: str, *, macro: bool = False) -> str:
    from langcodes import standardize_tag

    return standardize_tag(code, macro=macro)


@cache
def _is_code(text: str) -> bool:
    from langcodes import LanguageTagError

    try:
        tag = _parsed(text)
    except LanguageTagError:
        return False
    name = tag.language or "und"
    private = name.startswith("x-") or "qaa" <= name <= "qtz"
    named = name not in _NAMELESS and not private
    return named and tag.is_valid() and tag.to_tag() == text


@cache
def as_code(text: str) -> str:
    """The code of what somebody wrote for one, or "": a code, a name, a country.

    >>> [as_code(text) for text in ("<spa>", "de_AT", "Thai", "jp", "channel 1")]
    ['es', 'de-AT', 'th', 'ja', '']
    """
    from langcodes import LanguageTagError

    text = text.strip("<>[] \t\n")
    if _is_code(text):
        return text
    names = {one.name.lower(): one.code for one in LANGUAGES.values()}
    if text.lower() in names:
        return names[text.lower()]
    try:
        code = _standard(text)
        if not _is_code(code) and len(text) == 2 and text[0] not in "xX":
            country = _parsed(f"und-{text}")  # jp, cz
            code = country.maximize().language if country.is_valid() else ""
    except LanguageTagError:
        close = difflib.get_close_matches(text.lower(), names, n=1, cutoff=0.88)
        return names[close[0]] if close else ""
    return code if _is_code(code) else ""


def main(codes: list[str]) -> int:
    try:
        for code in codes:
            language(code)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
