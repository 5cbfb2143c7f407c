"""Usage: python -m s2st_interleave <command> [--config conf.yaml] [--option value ...]"""

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from s2st_interleave import __version__, config, parallel
from s2st_interleave.errors import guarded, quiet_pipe
from s2st_interleave.stage_list import MODULES, usage


def help_text() -> str:
    """The text of `--help`: usage, and all commands with their stages."""
    about = "--debug true shows where an error comes from.\n\ncommands (stage):"
    return f"{__doc__}\n{about}\n{usage()}"


def main(argv: list[str] | None = None) -> int:
    """Run the command that `argv` (default: sys.argv) names; return the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help"):
        print(help_text())
        return 0 if argv else 2
    if "--version" in (argv[0], *argv[1:2]):
        print(f"s2st_interleave {__version__}{_commit()}")
        return 0
    name, *rest = argv
    if name not in MODULES:
        near = config.nearest(name, [*MODULES, "--help", "--version"])
        print(f"error: no command '{name}'{near}; --help lists them", file=sys.stderr)
        return 2
    rest, debug = take_debug(rest)
    return guarded(name, partial(_call, name, rest), debug=debug)


def _commit() -> str:
    """The commit of the running code, in brackets; "" outside of a checkout."""
    from s2st_interleave.provenance import git_state

    git = git_state()
    return f" (git {git['hash'][:7]}{', edited' * git['dirty']})" if git["hash"] else ""


def _call(name: str, words: list[str]) -> int:
    module = importlib.import_module(f"s2st_interleave.{MODULES[name]}")
    if hasattr(module, "main"):
        return module.main(words)
    module.run(config.parse(module.Options, words, prog=name, about=module.__doc__))
    return 0


def take_debug(words: Sequence[str]) -> tuple[list[str], bool]:
    """Take `--debug true` off a command line; return the other words, and its value.

    >>> take_debug(["--seed", "1", "--debug", "true"])
    (['--seed', '1'], True)
    """
    for value in ("true", "false"):
        for index in range(len(words) - 1):
            if list(words[index : index + 2]) == ["--debug", value]:
                return [*words[:index], *words[index + 2 :]], value == "true"
    return list(words), False


def console() -> NoReturn:
    """Entry point of `s2st-interleave` and `python -m s2st_interleave`."""
    parallel.exit_with(partial(quiet_pipe, main))


def console_translate() -> NoReturn:
    """Entry point of `s2st-translate`."""
    words = ["translate", *sys.argv[1:]]
    parallel.exit_with(partial(quiet_pipe, partial(main, words)))


if __name__ == "__main__":
    console()
