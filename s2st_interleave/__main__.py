"""Usage: python -m s2st_interleave <command> [--config conf.yaml] [--option value ...]"""

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from s2st_interleave import config
from s2st_interleave.errors import guarded, quiet_pipe
from s2st_interleave.train import parallel

# Stage number, module and what it does. Modules are imported only when called,
# so that --help answers at once.
COMMANDS = {
    "data": ("1", "stages.data", "corpus as distributed -> Kaldi-style data/"),
    "own": ("1", "stages.tsv_corpus", "a corpus of one's own, from one TSV -> data/"),
    "subset": ("1", "stages.subset", "a fixed part of a split, such as test1k"),
    "encoder": ("2", "stages.encoder", "CTC fine-tuning of the speech encoder"),
    "align": ("3", "stages.align", "word times by CTC segmentation"),
    "kmeans": ("4", "stages.kmeans", "one codebook for all languages"),
    "units": ("4", "stages.units", "speech -> discrete units"),
    "dump": ("5", "stages.dump", "ratio-independent dump of units and words"),
    "train": ("6", "stages.train", "scheduled interleaved fine-tuning of the LLM"),
    "decode": ("7", "stages.decode", "source units -> text -> target units"),
    "vocoder": ("8", "stages.vocoder", "train the unit vocoder"),
    "vocode": ("8", "stages.vocode", "target units -> speech"),
    "score": ("9", "stages.score", "scores of speech and texts, as the task asks"),
    "topline": ("9", "stages.topline", "the scores no system can pass"),
    "compare": ("9", "stages.compare", "paired significance test of two systems"),
    "results": ("10", "stages.results", "RESULTS.md"),
    "pack": ("11", "pack.command", "one folder with all that translation needs"),
    "translate": ("-", "pack.translate", "recordings with a packed folder"),
    "import_data": ("1", "interop.import_data", "Kaldi or ESPnet directories -> data/"),
    "import_alignments": ("3", "interop.import_alignments", "TextGrid, CTM, Whisper"),
    "import_units": (
        "4",
        "interop.import_units",
        "text.km, fairseq's .km, ark and scp",
    ),
    "export_data": ("-", "interop.export_data", "data/ -> a Kaldi directory"),
    "export_units": ("-", "interop.export_units", "units -> text.km"),
    "plan": ("-", "plan.command", "tokens, memory, hours and disk of a training"),
    "validate": ("-", "data.validate", "check a data directory; fails when it should"),
    "launch": ("-", "launch.command", "run JOB=1:N of a command, with a log each"),
}


def usage() -> str:
    lines = [__doc__ or "", "--debug true shows where an error comes from.\n"]
    lines.append("commands (stage):")
    for name, (stage, _, text) in COMMANDS.items():
        lines.append(f"  {name:<17} {stage:>2}  {text}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return 0 if argv else 2
    name, *rest = argv
    if name not in COMMANDS:
        near = config.nearest(name, COMMANDS)
        print(f"error: no command '{name}'{near}; --help lists them", file=sys.stderr)
        return 2
    rest, debug = take_debug(rest)
    return guarded(name, partial(_call, name, rest), debug=debug)


def _call(name: str, words: list[str]) -> int:
    module = importlib.import_module(f"s2st_interleave.{COMMANDS[name][1]}")
    if hasattr(module, "main"):
        return module.main(words)
    module.run(config.parse(module.Options, words, prog=name, about=module.__doc__))
    return 0


def take_debug(words: Sequence[str]) -> tuple[list[str], bool]:
    """The words without `--debug true`, and whether it was there: any command has it.

    >>> take_debug(["--seed", "1", "--debug", "true"])
    (['--seed', '1'], True)
    """
    for value in ("true", "false"):
        for index in range(len(words) - 1):
            if list(words[index : index + 2]) == ["--debug", value]:
                return [*words[:index], *words[index + 2 :]], value == "true"
    return list(words), False


def console() -> NoReturn:
    """`s2st-interleave` and `python -m s2st_interleave`."""
    parallel.exit_with(partial(quiet_pipe, main))


if __name__ == "__main__":
    console()
