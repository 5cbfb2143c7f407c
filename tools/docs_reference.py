"""Tables of the documentation that are made of code: options, stages, languages, packages.

    python tools/docs_reference.py options      what each command can be told, a table each
    python tools/docs_reference.py driver       options of ./run.sh
    python tools/docs_reference.py stages       what each stage reads and writes
    python tools/docs_reference.py languages    what is known of each language
    python tools/docs_reference.py packages     what is installed, and why

tools/docs_site.py puts them into the pages, in the place of `<!-- options -->` and the like.
"""

import html
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from s2st_interleave.blocks import REQUIRED, Leaf, leaves
from s2st_interleave.data.language_table import TABLE
from s2st_interleave.extras import EXTRAS, NO_DEPS, name_of
from s2st_interleave.option_parser import metavar, shown
from s2st_interleave.stage_list import COMMANDS, Command, markdown, stage_number

TOOLS = Path(__file__).resolve().parent
DRIVER = TOOLS.parent / "egs" / "cvss" / "s2st.sh"
PINNED = re.compile(r"^([\w.-]+)==(\S+)  # (.*)$", re.M)
# The option of a driver in bash: `name=value   # comment`.
ASSIGNED = re.compile(r'^([a-z][a-z_]*)=("[^"]*"|\S*)(?: +# (.*))?$')


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown; a `|` in a cell does not end it."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *map(list, rows)]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def options() -> str:
    """A section for every command, with the table of its options."""
    classes = {
        command.name: getattr(_module(command), "Options", None) for command in COMMANDS
    }
    return "\n\n".join(_section(command, classes) for command in COMMANDS)


def _module(command: Command) -> object:
    return importlib.import_module(f"s2st_interleave.{command.module}")


def _section(command: Command, classes: dict[str, type | None]) -> str:
    number = stage_number(command.name)
    stage = f" (stage {number})" if number else ""
    lines = [f"### {command.name}", "", f"{command.about}{stage}.", ""]
    cls = classes[command.name]
    if cls is None:
        usage = (getattr(_module(command), "__doc__", "") or "").strip()
        return "\n".join([*lines, "```text", usage, "```"])
    inherited: set[str] = set()
    for name, other in classes.items():
        if other is not None and other is not cls and issubclass(cls, other):
            same = leaves(other)
            inherited = {
                key for key, leaf in leaves(cls).items() if same.get(key) == leaf
            }
            lines += [f"All options of [{name}](#{name}), and:", ""]
    own = [leaf for key, leaf in leaves(cls).items() if key not in inherited]
    head = ("option", "values", "default", "meaning")
    return "\n".join([*lines, table(head, map(_row, own))])


def _row(leaf: Leaf) -> list[str]:
    default = "required" if leaf.default is REQUIRED else f"`{shown(leaf.default)}`"
    values = ", ".join(filter(None, [_values(leaf), str(leaf.bounds)]))
    return [f"`{leaf.name}`", values, default, _plain(leaf.text)]


def _plain(text: str) -> str:
    """A text that Markdown shows as it is: `<src>` is no element, `*` no emphasis."""
    return html.escape(text, quote=False).replace("*", "\\*").replace("_", "\\_")


def _values(leaf: Leaf) -> str:
    kind = metavar(leaf.hint)
    kind = kind.replace("|", ", ") if "|" in kind else kind.lower().replace("_", " ")
    words = {"word": "text", "integer": "whole number"}
    first, _, more = kind.partition(" ...")
    return words.get(first, first) + (", several" if kind.endswith(" ...") else more)


def driver_options() -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of the options of ./run.sh, in their order."""
    head = DRIVER.read_text("utf-8").partition("\nhelp_message=")[0]
    for line in head.splitlines():
        if match := ASSIGNED.match(line):
            name, default, meaning = match.groups(default="")
            yield name, default.strip('"'), meaning


def driver() -> str:
    """The table of the options of ./run.sh."""
    rows = (
        [f"`--{name}`", f"`{default}`" if default else "empty", _meaning(name, meaning)]
        for name, default, meaning in driver_options()
    )
    return table(("option", "default", "meaning"), rows)


def _meaning(name: str, comment: str) -> str:
    command = name.removesuffix("_args")
    if command != name:
        return f"more options of [{command}](#{command})"
    return _plain(comment)


def languages() -> str:
    """The table of languages, as data/language_table.py has it."""
    rows = (line.split(None, 5) for line in TABLE.strip().splitlines() if line)
    errors = {"word": "WER", "character": "CER"}
    shown = (
        [
            name,
            f"`{code}`",
            errors[unit],
            f"`{bleu}`",
            rules,
            whisper.replace("-", "no"),
        ]
        for code, unit, bleu, rules, whisper, name in rows
    )
    head = ("language", "code", "errors", "tokeniser of BLEU", "normaliser", "Whisper")
    return table(head, shown)


def packages() -> str:
    """The table of the pinned packages with their reasons, and the extra that names each."""
    lines = [(line, extra) for extra, names in EXTRAS.items() for line in names]
    lines += [(line, extra) for extra, line in NO_DEPS.items()]
    extra_of = {name_of(line): extra for line, extra in lines if extra != "all"}
    rows = []
    for file, where in (("", ""), ("-nodeps", ""), ("-dev", "tests and pages")):
        text = (TOOLS / f"requirements{file}.txt").read_text("utf-8")
        for name, version, reason in PINNED.findall(text):
            extra = where or extra_of.get(name.lower(), "")
            rows.append([f"`{name}`", version, extra, _plain(reason)])
    return table(("package", "version", "extra", "why"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "options": options,
    "driver": driver,
    "stages": markdown,
    "languages": languages,
    "packages": packages,
}


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in TABLES:
        print(TABLES[sys.argv[1]]())
    else:
        sys.exit(__doc__)
