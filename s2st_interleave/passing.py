"""How the options of stages' commands are passed on by the drivers of recipes.

A driver such as egs/cvss/s2st.sh has `--train_args "--lr 1e-4"`, and options of its own. Its
utils/parse_options.sh tells commands of both by two variables of the environment, and asks
here what to say of an option that it does not know itself:

    python -m s2st_interleave.passing lr 1e-4 train_args encoder_args
"""

import difflib
import importlib
import os
import re
import sys
from collections.abc import Iterable

from s2st_interleave.blocks import leaves
from s2st_interleave.errors import script
from s2st_interleave.stage_list import MODULES

# The commands that get what stands in `<name>_args`; what is meant most often comes first.
COMMANDS_OF = {
    "train_args": ("train",),
    "align_args": ("align",),
    "data_args": ("data", "own"),
    "encoder_args": ("encoder",),
    "kmeans_args": ("kmeans",),
    "dump_args": ("dump",),
    "decode_args": ("decode",),
    "vocoder_args": ("vocoder",),
    "vocode_args": ("vocode",),
    "score_args": ("score", "topline", "recognise"),
    "compare_args": ("compare",),
    "report_args": ("report",),
    "pack_args": ("pack",),
}
# Options of commands that drivers have by the same name for something else: the task of a
# recipe is what is learned, that of decode the one of several that answers.
ANOTHER = {"decode": ("task",)}
# A driver's options of this kind, and all its options: words in the environment.
PASSES, TAKES = "S2ST_PASSES", "S2ST_TAKES"


def options_of(command: str) -> list[str]:
    """The names of a command's options; none where it has no dataclass of them."""
    if command not in MODULES:
        return []
    module = importlib.import_module(f"s2st_interleave.{MODULES[command]}")
    options = getattr(module, "Options", None)
    return list(leaves(options)) if options else []


def hint(command: str, message: str) -> str:
    """What to add to a command's error about an option that the recipe has to pass on."""
    passes, takes = (os.environ.get(k, "").split() for k in (PASSES, TAKES))
    args = next((k for k in passes if command in COMMANDS_OF.get(k, ())), None)
    named = [n.replace("-", "_") for n in re.findall(r"--([a-z][\w.-]*\w)", message)]
    known = options_of(command) if args and named else []
    words = " ".join(
        f"--{name} VALUE"
        for name in dict.fromkeys(named)
        if name in known and (name not in takes or name in ANOTHER.get(command, ()))
    )
    return f'; run.sh passes it on by --{args} "{words}"' if words else ""


def told(name: str, value: str, passes: Iterable[str]) -> str:
    """What a driver says of an unknown option; "" where no command has it either.

    `passes` are the driver's options that pass others on.
    """
    name = name.replace("-", "_")
    names = {
        args: {n for command in commands for n in options_of(command)}
        for args, commands in COMMANDS_OF.items()
        if args in passes
    }
    all_names = sorted({n for known in names.values() for n in known})
    matches = difflib.get_close_matches(name, all_names, n=1, cutoff=0.8)
    if not matches:
        return ""
    first, *others = (
        f'--{args} "--{matches[0]} {value or "VALUE"}"' if not k else f"--{args}"
        for k, args in enumerate(a for a, known in names.items() if matches[0] in known)
    )
    also = f" (or {', '.join(others)})" if others else ""
    what = "it is passed on to a stage" if matches[0] == name else "did you mean"
    return f"{what}: {first}{also}"


def main() -> int:
    name, value, *passes = sys.argv[1:]
    print(told(name, value, passes))
    return 0


if __name__ == "__main__":
    sys.exit(script("passing", main))
