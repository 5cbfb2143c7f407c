#!/usr/bin/env python3
"""Compare word onsets of stage 3 with the synthesiser's own word times.

    python ../local/check_align.py --split test --languages "es en"

Utterances are joined by id. Those without true times, or with another number of words, are
counted as left out.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import config
from s2st_interleave.align.words import read_words
from s2st_interleave.config import option
from s2st_interleave.data import sides
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError, script


@dataclass(frozen=True, kw_only=True)
class Options:
    align_dir: Path = option(Path("dump/align"), "of the recipe")
    corpus: Path = option(Path("downloads/corpus"), "with word_times.<lang>.jsonl")
    split: str = option("test", "which split")
    languages: tuple[LanguageCode, ...] = option(("es", "en"), "which sides")


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="check_align", about=__doc__)
    for language in options.languages:
        folder = options.align_dir / options.split
        spoken = sides.read(folder)
        role = next((r for r, code in spoken.items() if code == language), language)
        aligned = read_words(sides.path_of(folder, "words.{}.jsonl", role, spoken))
        true = _true_onsets(options.corpus / f"word_times.{language}.jsonl")
        errors: list[float] = []
        num_used = 0
        for utterance, words in aligned.items():
            onsets = true.get(utterance, [])
            if len(onsets) == len(words):
                num_used += 1
                errors += [w.start_sec - t for w, t in zip(words, onsets, strict=True)]
        if not errors:
            raise UserError(f"{options.split} {language}: no utterance has true times")
        size = np.abs(errors)
        print(
            f"{options.split} {language}: onset error median {np.median(size) * 1000:.0f} ms,"
            f" 90 % within {np.quantile(size, 0.9) * 1000:.0f} ms, mean offset "
            f"{np.mean(errors) * 1000:+.0f} ms, {len(errors)} words of {num_used} utterances, "
            f"{len(aligned) - num_used} left out"
        )


def _true_onsets(path: Path) -> dict[str, list[float]]:
    """Seconds at which words start, by utterance id."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["id"]: [start for _, start, _ in line["words"]] for line in lines}


if __name__ == "__main__":
    sys.exit(script("check_align", main))
