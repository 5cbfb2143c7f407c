"""What is fuzzed: every parser of the package as a function of bytes, with its seeds.

A target writes the bytes into an empty folder, as the file that a stage reads, and calls
the function that the stage calls. It returns a value or raises a UserError.
"""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import seeds

from s2st_interleave import config, drops, files, typed_json, values, yaml_text
from s2st_interleave.align import words
from s2st_interleave.data import archive, ark, audio, kaldi, sides, tsv_corpus
from s2st_interleave.data.corpus import Corpus
from s2st_interleave.decode import outputs
from s2st_interleave.errors import UserError
from s2st_interleave.facts import TrainFacts
from s2st_interleave.interleave import columns, dump
from s2st_interleave.interop import import_data, timed, unit_files
from s2st_interleave.interop.kaldi_dir import KaldiDir
from s2st_interleave.launch import resources
from s2st_interleave.pack import folder as packed
from s2st_interleave.replicate import grid_file
from s2st_interleave.report import curves, systems
from s2st_interleave.score import records
from s2st_interleave.score.records import SystemScore
from s2st_interleave.show import training
from s2st_interleave.stages import train
from s2st_interleave.train import checkpoint
from s2st_interleave.units import kmeans, store

CUT = b"\n-- the next file --\n"  # between the files of a target that reads several


@dataclass(frozen=True)
class Target:
    """A parser: the names of the files it reads, and examples of what they hold.

    The bytes of a target with several files are those of all, with CUT between.
    """

    read: Callable[[Path], Any]
    names: tuple[str, ...]
    seeds: tuple[bytes, ...]

    def run(self, content: bytes, folder: Path) -> Any:
        """Read `content` in an empty folder, which is the current one meanwhile."""
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
            parts = content.split(CUT, len(self.names) - 1)
            for name, part in zip(self.names, parts, strict=False):
                Path(name).parent.mkdir(parents=True, exist_ok=True)
                Path(name).write_bytes(part)
            return self.read(Path())


def _of(name: str, read: Callable[[Path], Any], *examples: bytes) -> Target:
    return Target(lambda folder: read(folder / name), (name,), examples)


def _several(read: Callable[[Path], Any], **contents: bytes) -> Target:
    names = tuple(name.replace("__", ".").replace("_of_", "/") for name in contents)
    return Target(read, names, (CUT.join(contents.values()),))


def _cvss(folder: Path) -> Any:
    parts = Corpus(folder / "cv", folder / "covost.tsv", folder / "cvss")
    return parts.pairs("train")


def _kaldi(folder: Path) -> Any:
    dirs = {role: KaldiDir(folder, role, role) for role in ("es", "en")}
    return import_data.utterances(dirs, "train")


def _dump(folder: Path) -> Any:
    opened = dump.Dump(folder)
    return [opened[k] for k in range(len(opened))], opened.ids


def _archive(path: Path) -> Any:
    listed = archive.listed(path, path.parent / "unpacked")
    reading = archive.Reading(path)
    return [reading.read(Path(member)) for member in listed.members]


def _ark(path: Path) -> Any:
    places = [Path(f"{path}:{offset}") for _, offset in ark.entries(path)]
    return [
        audio.load(place, longest_sec=30.0) for place in [*places, Path(f"{path}:2")]
    ]


def _load(path: Path) -> Any:
    return audio.num_samples(path), audio.load(path, longest_sec=30.0)


def _sums(folder: Path) -> Any:
    return packed.Description.read(folder), packed.listed(folder)


def _score(path: Path) -> Any:
    return records.read(SystemScore, path)


def _converted(path: Path) -> Any:
    """The options' values that a text may be: of some of these types."""
    hints = (int, float, bool, values.Device, tuple[int, ...], float | None)
    told = []
    for hint in hints:
        try:
            told.append(
                config.convert(
                    "x", path.read_text("utf-8", "replace"), hint, source="a.yaml"
                )
            )
        except UserError as error:
            told.append(str(error))
    return told


TARGETS: dict[str, Target] = {
    "own TSV": _of(
        "my.tsv",
        lambda path: tsv_corpus.read_utterances(path, ("src", "tgt")),
        *seeds.TSV,
    ),
    "CVSS tables": _several(
        _cvss,
        cvss_of_train__tsv=b"a.mp3\thello\nb.mp3\tyou\n",
        cv_of_validated__tsv=b"client_id\tpath\tsentence\ns\ta.mp3\thola\ns\tb.mp3\ttu\n",
        covost__tsv=b"path\ttranslation\tsplit\na.mp3\thello\ttrain\nb.mp3\tyou\ttrain\n",
    ),
    "Kaldi table": _of("text", kaldi.read_table, b"u1 hola\nu2 adios\nu3\n"),
    "Kaldi directory": _several(
        _kaldi,
        wav__scp__es=b"r1 a.wav\nr2 wav.ark:12\nr3 cat x |\n",
        text__es=b"u1 hola\nu2 mundo\n",
        segments=b"u1 r1 0.0 1.5\nu2 r2 1 -1\n",
        wav__scp__en=b"r1 b.wav\nr2 c.wav\n",
        text__en=b"u1 hello\nu2 world\n",
        utt2spk=b"u1 s\nu2 s\n",
    ),
    "data directory": _several(
        lambda folder: kaldi.problems(kaldi.DataDir(folder)),
        sides=b"src es\ntgt en\n",
        wav__scp__src=b"u1 a.wav\n",
        utt2dur__src=b"u1 1.5\n",
        text__src=b"u1 hola\n",
        wav__scp__tgt=b"u1 a.wav\n",
        utt2dur__tgt=b"u1 1.5\n",
        text__tgt=b"u1 hello\n",
        utt2spk=b"u1 s\n",
        spk2utt=b"s u1\n",
    ),
    "sides": Target(
        sides.read, ("sides",), (b"src es\ntgt en\n", b"user en\nagent en\n")
    ),
    "words": _of("words.jsonl", words.read_words, *seeds.WORDS),
    "YAML": _of("a.yaml", yaml_text.read, *seeds.YAML),
    "typed YAML": _of(
        "a.yaml", lambda path: yaml_text.read(path, typed=True), *seeds.YAML
    ),
    "options": _of(
        "a.yaml", lambda path: config.load_yaml(path, train.Options), *seeds.OPTIONS
    ),
    "training": Target(training.read_options, ("config.yaml",), seeds.OPTIONS),
    "Slurm": _of(
        "slurm.yaml", lambda path: resources.read(path, "cuda_cmd"), *seeds.SLURM
    ),
    "grid": _several(
        lambda folder: grid_file.load(folder / "grid.yaml"),
        grid__yaml=seeds.GRID[0],
        replication__yaml=seeds.RECIPE,
    ),
    "JSON": _of("a.json", files.read_json, *seeds.JSON),
    "JSON lines": _of("a.jsonl", files.read_json_lines, *seeds.METRICS),
    "facts": _of(
        "stage.json",
        lambda path: typed_json.read(TrainFacts, files.read_json(path), str(path)),
        *seeds.FACTS,
    ),
    "progress": _of(
        "meta.json",
        lambda path: files.read_as(checkpoint.Progress, path),
        *seeds.PROGRESS,
    ),
    "scores": _of("score.json", _score, *seeds.SCORE),
    "metrics": Target(curves.read_metrics, ("metrics.jsonl",), seeds.METRICS),
    "rows": _of(
        "utterances.tsv",
        lambda path: systems.read_rows(path, "asr_bleu"),
        b"id\tasr_bleu\treference\thypothesis\nu1\t20.5\ta b\ta c\nu2\t\ta\t\n",
    ),
    "answers": _of("answers.jsonl", outputs.read_part, *seeds.ANSWERS),
    "drops": Target(
        drops.read, ("dropped.tsv",), (b"u1\ttoo short: 0.1 s\nu2\tno audio\n",)
    ),
    "npy": _of("a.npy", lambda path: columns.read_array(path, "int32", 2), *seeds.NPY),
    "dump": _several(_dump, **seeds.dump_files()),
    "unit text": _of(
        "text.km", lambda path: unit_files.read(path, "text"), *seeds.UNITS
    ),
    "fairseq": _several(
        lambda folder: unit_files.read(folder / "a.km", "fairseq"),
        a__km=b"71 8 9\n4 5\n",
        a__tsv=b"/data/clips\nu1.wav\t16000\nu2.wav\t8000\n",
    ),
    "unit ark": Target(
        lambda folder: store.read_units(folder / "a"),
        ("a.ark", "a.scp"),
        seeds.unit_arks(),
    ),
    "scp": Target(
        lambda folder: unit_files.read(folder / "a.scp", "scp"),
        ("a.ark", "a.scp"),
        seeds.unit_arks(),
    ),
    "TextGrid": Target(
        lambda folder: timed.read(folder, "textgrid"), ("u1.TextGrid",), seeds.TEXTGRIDS
    ),
    "CTM": _of("a.ctm", lambda path: timed.read(path, "ctm"), *seeds.CTM),
    "Whisper": Target(
        lambda folder: timed.read(folder, "whisper"), ("u1.json",), seeds.WHISPER
    ),
    **{
        f"audio {kind}": _of(f"a.{kind}", _load, content)
        for kind, content in seeds.recordings().items()
    },
    "audio ark": _of("wav.1.ark", _ark, *seeds.audio_arks()),
    "tar": _of("a.tar", _archive, seeds.tar()),
    "tar.gz": _of("a.tar.gz", _archive, seeds.tar(".gz")),
    "pack": Target(_sums, ("pack.json", "SHA256SUMS"), (CUT.join(seeds.PACK),)),
    "codebook": Target(kmeans.Codebook.load, (kmeans.FILE,), (seeds.codebook(),)),
    "value": _of("value", _converted, *seeds.VALUES),
}
