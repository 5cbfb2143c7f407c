"""The sides of an utterance: each is a role (src, tgt; user, agent) that speaks a language.

Stage 1 writes the table `sides` of a data directory, a line `<role> <language>` a side, in
the order in which they speak; stages 3 to 5 keep it among the facts of their stage.json.
Stages name their files by role. An earlier version named them by language; its stage.json
has the languages among the options, the first for src, the second for tgt.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s2st_interleave import record_file
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError, script
from s2st_interleave.files import atomic_write
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.stage_list import maker
from s2st_interleave.text_file import read_lines

TABLE = "sides"
Sides = Mapping[str, str]  # language by role
KNOWN = "leave it out: stage 1 has written which side speaks what"


class Side(str):
    """An option's value that names a role and its language: `user=en`.

    Raises UserError for a role that is no identifier, or a language that is no code.
    """

    __slots__ = ()

    def __new__(cls, text: Any) -> "Side":
        role, equals, language = str(text).partition("=")
        if not equals or not (role.isascii() and role.isidentifier()):
            raise UserError(
                f"'{text}' is no side: write role=language, such as user=en"
            )
        LanguageCode(language)
        return super().__new__(cls, text)

    @property
    def role(self) -> str:
        return self.partition("=")[0]

    @property
    def language(self) -> LanguageCode:
        return LanguageCode(self.partition("=")[2])


def by_role(named: Iterable[Side]) -> dict[str, str]:
    """Languages by role; UserError for a role that occurs twice, or fewer than two roles."""
    sides: dict[str, str] = {}
    for side in named:
        if side.role in sides:
            raise UserError(f"side '{side.role}' occurs twice")
        sides[side.role] = side.language
    if len(sides) < 2:
        raise UserError(
            "an utterance has two sides or more, such as 'user=en agent=en'"
        )
    return sides


def write(directory: Path, sides: Sides) -> None:
    """Write the table of a data directory's sides."""
    with atomic_write(directory / TABLE) as stream:
        stream.writelines(f"{role} {language}\n" for role, language in sides.items())


def read(directory: Path) -> dict[str, str]:
    """Languages by role, from a directory that stage 1, 3, 4 or 5 has made or begun.

    Raises FileNotFoundError where no stage has begun it, UserError where it does not tell.
    """
    if (directory / TABLE).is_file():
        return _read_table(directory / TABLE)
    records = (directory / name for name in (DONE, OPEN))
    record = next((path for path in records if path.is_file()), None)
    if record is None and directory.is_dir():
        raise FileNotFoundError(
            f"{directory} is there, but stage 1 (data) has not made it; import_data makes one "
            "of a directory of Kaldi or ESPnet"
        )
    if record is None:
        raise FileNotFoundError(f"{directory} is missing; {maker(directory, 'data')}")
    content = record_file.read(record)
    sides = content.get("facts", {}).get("sides") or _earlier(content["options"])
    if not sides:
        raise UserError(
            f"{directory} does not say what its sides speak: make it anew, with "
            "--overwrite true"
        )
    return dict(sides)


def _read_table(path: Path) -> dict[str, str]:
    named = []
    for number, line in read_lines(path):
        try:
            named.append(Side("=".join(line.split(" ", 1))))
        except UserError as error:
            raise UserError(f"{path}:{number}: {error}") from None
    try:
        return by_role(named)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _earlier(options: Mapping[str, Any]) -> dict[str, str]:
    """The sides in the options of an earlier version, which had languages but no roles."""
    languages = options.get("languages") or [
        options[name] for name in ("src_lang", "tgt_lang") if options.get(name)
    ]
    roles = ("src", "tgt")
    return dict(zip(roles, languages, strict=True)) if len(languages) == 2 else {}


def without_languages(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of an earlier version, whose stages had options for the languages."""
    removed = ("languages", "src_lang", "tgt_lang")
    return {name: value for name, value in options.items() if name not in removed}


def path_of(directory: Path, name: str, role: str, sides: Sides) -> Path:
    """A role's file in a finished directory; `name` is such as `words.{}.jsonl`.

    The file is named by role, or by language if an earlier version has written it.
    """
    path, earlier = (directory / name.format(part) for part in (role, sides[role]))
    return earlier if earlier.is_file() and not path.is_file() else path


def main(words: Iterable[str]) -> int:
    """Check the sides that a recipe was given, before its first stage."""

    def check() -> None:
        by_role(map(Side, words))

    return script("sides", check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
