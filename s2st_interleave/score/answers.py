"""The answers of a system to one split, read from disk as evidence for metrics.

This is the only module of the scores that reads data directories, decodes and recordings.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from s2st_interleave.data import kaldi
from s2st_interleave.data.declared import is_in_script
from s2st_interleave.data.languages import scripts
from s2st_interleave.decode.outputs import read_texts
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Block, Layout
from s2st_interleave.score.asr_cache import recognise
from s2st_interleave.score.evidence import Evidence, Need, Tools, source_of
from s2st_interleave.stage_dir import read_done

T = TypeVar("T")


@dataclass(frozen=True)
class Answers:
    """Where the answers of a system to one split lie, and what they are held against.

    `vocode_dir` is None for a task that answers in text alone.
    """

    data_dir: Path
    decode_dir: Path
    vocode_dir: Path | None
    layout: Layout
    languages: Mapping[str, str]  # by side
    tools: Tools

    def evidence(self, block: Block, needs: Collection[Need] = ()) -> Evidence:
        """Read a block that the task wants, and what metrics need; speech is recognised.

        An answer to a recording that nobody could read counts as missing.
        """
        data, side = kaldi.DataDir(self.data_dir), block.side
        silent = silent_ids(data, self.layout)
        source = source_of(block, self.layout)
        wavs: dict[str, Path] = {}
        if block.kind == "speech" and self.tools.asr is not None:
            wavs = without(silent, spoken(self.vocode_dir))
            hypotheses = recognise(wavs, self.tools.asr, self.tools.cache)
            _warn_of_script(data.texts(side), hypotheses, self.languages[side])
        else:
            texts = read_texts(self.decode_dir, side)
            # An empty line: the LLM had no room for the question.
            answered = {name: text for name, text in texts.items() if text}
            hypotheses = without(silent, answered)
        with_audio = "source_audio" in needs
        return Evidence(
            references=data.texts(side),
            hypotheses=hypotheses,
            language=self.languages[side],
            sources=data.texts(source) if "source" in needs else {},
            source_language=self.languages.get(source, ""),
            wavs=wavs,
            source_wavs=data.wavs(source) if with_audio else {},
            reference_sec=data.durations(side) if "reference_audio" in needs else {},
            source_sec=data.durations(source) if with_audio else {},
            computing_sec=self._computing_sec() if "computing" in needs else 0.0,
            tools=self.tools,
        )

    def _computing_sec(self) -> float:
        """NaN where another decode or vocode has spent a part of it: answers were copied."""
        directories = {"decode": self.decode_dir, "vocode": self.vocode_dir}
        dones = [
            read_done(p, stage) for stage, p in directories.items() if p is not None
        ]
        copied = ("copied_from", "num_copied")
        if any(done["facts"].get(fact) for done in dones for fact in copied):
            return math.nan
        return sum(done["wall_sec"] for done in dones)


def _warn_of_script(
    references: Mapping[str, str], heard: Mapping[str, str], code: str
) -> None:
    """Print a warning where the recogniser does not write the script of the references.

    Whisper has one code for all scripts of a language.
    """
    given = is_in_script(code, references.values())
    has_letters = any(char.isalpha() for text in heard.values() for char in text)
    if has_letters and is_in_script(code, heard.values()) != given:
        name = "/".join(scripts(code))
        print(
            f"warning: the {'references are' if given else 'recogniser writes'} mostly in "
            f"{name}, the {'recogniser does not write it' if given else 'references are not'}"
            ": each letter counts as wrong; give the references in the script that it "
            "writes, or take a recogniser (--asr) that writes theirs",
            flush=True,
        )


def silent_ids(data: kaldi.DataDir, layout: Layout) -> set[str]:
    """Utterances of which a recording that is given cannot be read: nothing to answer."""
    given = {block.side for block in layout.given if block.kind == "speech"}
    return set().union(*(data.silent(side) for side in given))


def spoken(vocode_dir: Path | None) -> dict[str, Path]:
    """Audio by utterance id, of those that have some."""
    if vocode_dir is None:
        raise UserError("the task answers in speech: --vocode_dir says where it is")
    return kaldi.read_places(vocode_dir / "wav.scp")


def without(ids: set[str], table: Mapping[str, T]) -> dict[str, T]:
    return {k: v for k, v in table.items() if k not in ids}
