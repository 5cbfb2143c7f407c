"""What a corpus says of its languages, held against the codes that its user gives."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import regex

from s2st_interleave.data.corpus import SOURCES, Utterance
from s2st_interleave.data.languages import (
    LANGUAGES,
    alike,
    as_code,
    in_script,
    language,
    scripts,
)
from s2st_interleave.data.sides import Sides
from s2st_interleave.data.sources import file_of
from s2st_interleave.errors import UserError

# As they are distributed; a folder of Common Voice is named by its language alone.
_PAIR_FILE = re.compile(
    r"(?:covost_v2\.|cvss_[ct]_)([A-Za-z-]+)_([A-Za-z-]+?)(?:_v|\.)"
)
_CORPUS = re.compile(r"(?:cv-corpus-[\d.]+(?:-\d+)*-)?([A-Za-z-]+?)(?:\.tar\.gz)?")
# CVSS calls its English after the source's clip, <clip>.mp3.wav: that says nothing.
_CLIP = re.compile(r"common_voice_([A-Za-z]{2,3}(?:-[A-Za-z]+)*)_\d+(?:\.[^.]*)?")


def check_names(paths: Iterable[Path], src_lang: str, tgt_lang: str) -> None:
    """UserError where a file or folder of CVSS is named after other languages."""
    for path in paths:
        pair, corpus = _PAIR_FILE.match(path.name), _CORPUS.fullmatch(path.name)
        said = pair.groups() if pair else ()
        if corpus and corpus[1] in SOURCES:
            said = (corpus[1],)
        for option, code, name in zip(
            ("--src_lang", "--tgt_lang"), (src_lang, tgt_lang), said, strict=False
        ):
            _compare(option, code, name, f"{path} is of")


def check_sides(utterances: Sequence[Utterance], sides: Sides) -> list[str]:
    """A line for each side: what was, and what could not be, held against its code.

    Columns and files that name a language must agree in every line; where there are
    none, names of the first side's clips in most (CVSS calls its English after the
    source's clip); the script of the texts in most letters. Raises UserError where they
    do not, and for a language of which nothing is known.
    """
    where = [utterance.where for utterance in utterances]
    lines, spoken = [], []
    for number, (role, code) in enumerate(sides.items()):
        option = _option(role)
        speeches = [utterance.sides[role] for utterance in utterances]
        said = _lines(option, code, [speech.language for speech in speeches], where)
        if number == 0 and not said:
            names = [file_of(speech.audio).name for speech in speeches]
            said = _clips(option, code, names)
        lines.append(_report(option, code, said, [speech.text for speech in speeches]))
        if number and language(code).whisper is None:
            spoken.append(
                f"Whisper does not know {language(code).name}: stage 9 cannot score its "
                "speech"
            )
    return [*lines, *dict.fromkeys(spoken)]


def _option(role: str) -> str:
    """The option that says what a side speaks."""
    return f"--{role}_lang" if role in ("src", "tgt") else f"--sides {role}"


def _report(option: str, code: str, said: list[str], texts: Sequence[str]) -> str:
    language(code)
    written = _script(option, code, texts)
    nothing = "nothing in the corpus names it, only its script could be checked"
    sources = " and ".join(said) or nothing
    return f"{code}: {sources}; {written}"


def _compare(option: str, code: str, name: str, where: str) -> None:
    other = as_code(name)
    if other and not alike(code, other):
        raise UserError(f"{where} '{name}', {option} is '{code}'")


def _lines(
    option: str, code: str, names: Sequence[str], where: Sequence[str]
) -> list[str]:
    count = Counter(name for name in names if name)
    for name in count:
        _compare(option, code, name, f"{where[names.index(name)]} is of")
    unknown = [name for name in count if not as_code(name)]
    found = [f"'{name}' of {count[name]} lines is no language" for name in unknown]
    num = count.total() - sum(count[name] for name in unknown)
    return [*found, f"{num} of {len(names)} lines name it"] if num else found


def _clips(option: str, code: str, names: Sequence[str]) -> list[str]:
    said = {name: match[1] for name in names if (match := _CLIP.fullmatch(name))}
    other = {k: v for k, v in said.items() if not alike(code, as_code(v) or code)}
    num = len(said) - len(other)
    if not other:
        return [f"{num} of {len(names)} clips are named so"] if said else []
    name, named = min(other.items())
    if len(other) > num:
        raise UserError(
            f"{len(other)} of {len(names)} clips are named as those of '{named}', first "
            f"{name}; {option} is '{code}' (a column src_lang of a TSV of one's own, or "
            "utt2lang, says more than names)"
        )
    return [f"{num} of {len(names)} clips are named so, not {name}"]


def _script(option: str, code: str, texts: Sequence[str]) -> str:
    """Share of letters in the language's script; UserError where that is not a half."""
    count: Counter[str] = Counter()
    for text in texts:
        count.update(text)
    letters = Counter({char: n for char, n in count.items() if char.isalpha()})
    own, total = _num_in(scripts(code), letters), letters.total()
    if not total:
        return "its texts have no letters"
    if 2 * own < total:
        known = {name for each in LANGUAGES for name in scripts(each)}
        most = max(sorted(known), key=lambda name: _num_in((name,), letters))
        share = 100 * _num_in((most,), letters) / total
        raise UserError(
            f"{option} {code}: {share:.0f} % of the letters of its texts are {most}, "
            f"not {'/'.join(scripts(code))}: is it another language, or are source and "
            f"target swapped? If it is meant, say {option} {in_script(code, most)}"
        )
    return f"{100 * own / total:.0f} % of the letters are {'/'.join(scripts(code))}"


def _num_in(names: Iterable[str], letters: Counter[str]) -> int:
    pattern = regex.compile("|".join(rf"\p{{Script={name}}}" for name in names))
    return sum(n for char, n in letters.items() if pattern.match(char))
