#!/usr/bin/env python3
"""Train a small Llama on the grammar's parallel text: it stands in for a real text LLM.

    python train_text_llm.py --text_dirs corpus/text --languages "es en" --out_dir llm

What it has seen: parallel training sentences of the grammar as two lines, "Spanish: ..."
and "English: ...", every other English one in the form of CVSS (lower case, without
punctuation): a real LLM knows both. No test meaning. With --parallel false it has seen
each of these lines by itself; with --max_steps 0 its weights are random. The result is an
ordinary Hugging Face directory.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from language import PAPER_LANGUAGES, load_language
from text_llm import LlmOptions, train_llm

from s2st_interleave import config, parallel
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.data.text import spoken_form
from s2st_interleave.errors import UserError, script
from s2st_interleave.stage_dir import Input


@dataclass(frozen=True, kw_only=True)
class Options(LlmOptions):
    text_dirs: tuple[Path, ...] = option(
        REQUIRED, "one a source: {train,dev}.<source> and .<target>, line by line"
    )
    languages: tuple[LanguageCode, ...] = option(REQUIRED, "sources, then the target")
    parallel: bool = option(True, "a sentence with its translation, or by itself")
    merges_per_language: int = option(
        371, "of the byte-level BPE, as Llama's", minimum=0
    )


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="train_text_llm", about=__doc__)
    files = text_files(options)
    names = {code: load_language(code).name for code in options.languages}
    # The paper's languages had their names before names were data: models stay theirs.
    added = {f"name.{k}": names[k] for k in names if k not in PAPER_LANGUAGES}
    train_llm(
        options,
        inputs={name: Input(path) for name, path in files.items()} | added,
        documents=lambda part: documents(files, part, options, names),
        num_merges=options.merges_per_language * len(options.languages),
    )


def text_files(options: Options) -> dict[str, Path]:
    """By "<part>.<source>.<language>": UserError unless each source has a folder."""
    *sources, target = options.languages
    if len(sources) != len(options.text_dirs):
        raise UserError(
            f"{len(sources)} source languages and {len(options.text_dirs)} text_dirs"
        )
    return {
        f"{part}.{source}.{lang}": folder / f"{part}.{lang}"
        for source, folder in zip(sources, options.text_dirs, strict=True)
        for part in ("train", "dev")
        for lang in (source, target)
    }


def documents(
    files: Mapping[str, Path], part: str, options: Options, names: Mapping[str, str]
) -> list[str]:
    """Two lines a meaning for each source language: its sentence and the target's.

    Every other target sentence is in its spoken form, as CVSS has it. `names`: what the
    lines of a language begin with, by its code.
    """
    *sources, target = options.languages
    found = []
    for source in sources:
        texts, translations = (
            files[f"{part}.{source}.{lang}"].read_text(encoding="utf-8").splitlines()
            for lang in (source, target)
        )
        for number, (a, b) in enumerate(zip(texts, translations, strict=True)):
            b = spoken_form(b) if number % 2 else b
            a, b = f"{names[source]}: {a}\n", f"{names[target]}: {b}\n"
            found += [a + b] if options.parallel else [a, b]
    return found


if __name__ == "__main__":
    parallel.exit_with(partial(script, "train_text_llm", main))
