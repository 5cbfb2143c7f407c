"""Systems and their answers to a test set, read where they are there.

RESULTS.md wants every score; a report shows what there is, and says what is missing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from s2st_interleave import recipe_paths
from s2st_interleave.data import kaldi
from s2st_interleave.decode.outputs import read_texts
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.score import records
from s2st_interleave.score.columns import lower_is_better
from s2st_interleave.score.records import Comparison, SystemScore, ToplineScore
from s2st_interleave.text_file import read_lines


@dataclass(frozen=True)
class Row:
    """An utterance in utterances.tsv; `score` is the primary metric's, None for none.

    The texts are normalised, as they were scored.
    """

    score: float | None
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class System:
    """A system's scores and answers, by utterance id.

    `heard` is what the recogniser wrote about its speech, `texts` what the LLM wrote, by
    side. `wavs` is empty for a task that does not speak.
    """

    name: str
    folder: Path  # exp/<tag>/<decode_tag>/<split>
    score: SystemScore
    rows: Mapping[str, Row] = field(default_factory=dict)
    heard: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    wavs: Mapping[str, Path] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        return Layout.parse(self.score.layout)

    def wav(self, utterance: str) -> Path:
        """Where the utterance's speech lies, whatever the current directory is."""
        return recipe_paths.resolve(self.wavs[utterance], self.folder)

    @property
    def side(self) -> str:
        """The side that the primary metric judges."""
        block = self.score.primary.partition(":")[2]
        return block.rpartition("_")[0] or self.layout.wanted[-1].side

    def goodness(self, utterance: str) -> float:
        """The utterance's score, the more the better; -inf where it has none."""
        row = self.rows.get(utterance)
        if row is None or row.score is None:
            return -math.inf
        return -row.score if lower_is_better(self.score.primary) else row.score


def found(exp_dir: Path, trained: Path, split: str) -> list[str]:
    """Names of the systems that have a score or a training; the baseline is first."""
    scored = {path.parents[2].name for path in exp_dir.glob(f"*/*/{split}/score.json")}
    configs = trained.glob("*/config.yaml")
    begun = {p.parent.name for p in configs if (p.parent / "metrics.jsonl").is_file()}
    return sorted(scored | begun, key=lambda name: (name != "baseline", name))


def found_tags(exp_dir: Path, split: str) -> list[str]:
    """Names of the decodes that were scored; that of the last checkpoint is first."""
    tags = {path.parents[1].name for path in exp_dir.glob(f"*/*/{split}/score.json")}
    return sorted(tags, key=lambda tag: (tag != "greedy_last", tag))


def read_score(folder: Path) -> SystemScore | None:
    """The score of a decode; None where stage 9 has not made it."""
    path = folder / "score.json"
    return records.read(SystemScore, path) if path.is_file() else None


def read_comparisons(folder: Path) -> list[Comparison]:
    """The comparisons of a decode, by the primary metric and by others."""
    paths = sorted(folder.glob("compare*.json"))
    return [records.read(Comparison, path) for path in paths]


def read_topline(folder: Path) -> ToplineScore | None:
    """The toplines of a test set; None where there are none."""
    path = folder / "score.json"
    return records.read(ToplineScore, path) if path.is_file() else None


def read_system(name: str, folder: Path, score: SystemScore) -> System:
    """A scored system with its answers; what an earlier version did not keep is empty."""
    layout = Layout.parse(score.layout)
    sides = [block.side for block in layout.wanted if block.kind == "text"]
    scp = folder / "vocode" / "wav.scp"
    wavs = kaldi.read_places(scp) if layout.speaks and scp.is_file() else {}
    return System(
        name,
        folder,
        score,
        read_rows(folder / "score" / "utterances.tsv", score.primary),
        _table(folder / "score" / "hyp") if layout.speaks else {},
        {side: _texts(folder, side) for side in sides},
        wavs,
    )


def read_rows(path: Path, primary: str) -> dict[str, Row]:
    """The rows of utterances.tsv by id, {} where there is no such file.

    Raises UserError, naming file and line, where it lacks a column or a row a cell.
    """
    rows: dict[str, Row] = {}
    header: list[str] = []
    for number, line in read_lines(path) if path.is_file() else ():
        cells = line.split("\t")
        if not header:
            header = cells
            if missing := {"id", primary, "reference", "hypothesis"} - {*header}:
                raise UserError(f"{path}:{number}: no column '{min(missing)}'")
            continue
        if len(cells) != len(header):
            raise UserError(
                f"{path}:{number}: {len(cells)} cells, expected {len(header)}"
            )
        row = dict(zip(header, cells, strict=True))
        try:
            score = float(row[primary]) if row[primary] else None
        except ValueError:
            raise UserError(f"{path}:{number}: {primary}: '{row[primary]}'") from None
        rows[row["id"]] = Row(score, row["reference"], row["hypothesis"])
    return rows


def _table(path: Path) -> dict[str, str]:
    return kaldi.read_table(path) if path.is_file() else {}


def _texts(folder: Path, side: str) -> dict[str, str]:
    try:
        return read_texts(folder, side)
    except FileNotFoundError:
        return {}
