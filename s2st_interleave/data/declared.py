"""Compares the languages that a corpus declares with the codes that the user gives."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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

# Names as distributed; a folder of Common Voice is named by its language alone.
_PAIR_FILE = re.compile(
    r"(?:covost_v2\.|cvss_[ct]_)([A-Za-z-]+)_([A-Za-z-]+?)(?:_v|\.)"
)
_CORPUS = re.compile(r"(?:cv-corpus-[\d.]+(?:-\d+)*-)?([A-Za-z-]+?)(?:\.tar\.gz)?")
# CVSS names its English after the source's clip, <clip>.mp3.wav, which does not match.
_CLIP = re.compile(r"common_voice_([A-Za-z]{2,3}(?:-[A-Za-z]+)*)_\d+(?:\.[^.]*)?")


def check_names(paths: Iterable[Path], src_lang: str, tgt_lang: str) -> None:
    """UserError where a file or folder of CVSS is named after other languages."""
    for path in paths:
        pair, corpus = _PAIR_FILE.match(path.name), _CORPUS.fullmatch(path.name)
        names = pair.groups() if pair else ()
        if corpus and corpus[1] in SOURCES:
            names = (corpus[1],)
        for option, code, name in zip(
            ("--src_lang", "--tgt_lang"), (src_lang, tgt_lang), names, strict=False
        ):
            _compare(option, code, name, f"{path} is of")


def check_sides(utterances: Sequence[Utterance], sides: Sides) -> list[str]:
    """Check each side's code against the corpus; a line for each side with the findings.

    Languages that the corpus's lines name must all agree. If none does, the names of most
    of the first side's clips must agree (CVSS names its English after the source's clip).
    Most letters of the texts must be of the language's script. Raises UserError where one
    of them does not agree, and for a language that is not in the table.
    """
    lines, spoken = [], []
    for number, (role, code) in enumerate(sides.items()):
        option = _option(role)
        speeches = [utterance.sides[role] for utterance in utterances]
        where = [u.sides[role].language_where or u.where for u in utterances]
        findings = _lines(option, code, [speech.language for speech in speeches], where)
        if number == 0 and not findings:
            names = [file_of(speech.audio).name for speech in speeches]
            findings = _clips(option, code, names)
        texts = [speech.text for speech in speeches]
        lines.append(_report(option, code, findings, texts))
        if number and language(code).whisper is None:
            spoken.append(
                f"Whisper does not know {language(code).name}: stage 9 cannot score its "
                "speech"
            )
    return [*lines, *dict.fromkeys(spoken)]


def _option(role: str) -> str:
    """The option that sets the language of a side."""
    return f"--{role}_lang" if role in ("src", "tgt") else f"--sides {role}"


def _report(option: str, code: str, findings: list[str], texts: Sequence[str]) -> str:
    language(code)
    script = _script(option, code, texts)
    nothing = "nothing in the corpus names it, only its script could be checked"
    return f"{code}: {' and '.join(findings) or nothing}; {script}"


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
    findings = [f"'{name}' of {count[name]} lines is no language" for name in unknown]
    num = count.total() - sum(count[name] for name in unknown)
    return [*findings, f"{num} of {len(names)} lines name it"] if num else findings


def _clips(option: str, code: str, names: Sequence[str]) -> list[str]:
    languages = {name: match[1] for name in names if (match := _CLIP.fullmatch(name))}
    other = {k: v for k, v in languages.items() if not alike(code, as_code(v) or code)}
    num = len(languages) - len(other)
    if not other:
        return [f"{num} of {len(names)} clips are named so"] if languages else []
    name, named = min(other.items())
    if len(other) > num:
        raise UserError(
            f"{len(other)} of {len(names)} clips are named as those of '{named}', first "
            f"{name}; {option} is '{code}' (a column src_lang of a TSV of one's own, or "
            "utt2lang, says more than names)"
        )
    return [f"{num} of {len(names)} clips are named so, not {name}"]


def _script(option: str, code: str, texts: Sequence[str]) -> str:
    """Share of letters in the language's script; UserError if it is less than a half."""
    letters = _letters(texts)
    count_in, total = _num_in(scripts(code), letters), letters.total()
    if not total:
        return "its texts have no letters"
    if 2 * count_in < total:
        known = {name for language_code in LANGUAGES for name in scripts(language_code)}
        most = max(sorted(known), key=lambda name: _num_in((name,), letters))
        num_most = _num_in((most,), letters)
        what = f"{100 * num_most / total:.0f} % of the letters of its texts are {most}"
        say = f"say {option} {in_script(code, most)}"
        others = [c for c, _ in letters.most_common() if not _num_in(known, {c: 1})]
        if (
            sum(letters[c] for c in others) > num_most
        ):  # a script of no line of the table
            name = unicodedata.name(others[0], "without a name")
            what = f"most letters of its texts are like '{others[0]}' ({name})"
            say = f"say the code of that script (ISO 15924) as in {option} jv-Java"
        raise UserError(
            f"{option} {code}: {what}, not {'/'.join(scripts(code))}: is it another "
            f"language, or are source and target swapped? If it is meant, {say}"
        )
    return (
        f"{100 * count_in / total:.0f} % of the letters are {'/'.join(scripts(code))}"
    )


def is_in_script(code: str, texts: Iterable[str]) -> bool:
    """Are most letters of the texts in a script of the language, or are there none?"""
    letters = _letters(texts)
    return 2 * _num_in(scripts(code), letters) >= letters.total()


def _letters(texts: Iterable[str]) -> Counter[str]:
    count: Counter[str] = Counter()
    for text in texts:
        count.update(text)
    return Counter({char: n for char, n in count.items() if char.isalpha()})


def _num_in(names: Iterable[str], letters: Mapping[str, int]) -> int:
    pattern = regex.compile("|".join(rf"\p{{Script={name}}}" for name in names))
    return sum(n for char, n in letters.items() if pattern.match(char))
