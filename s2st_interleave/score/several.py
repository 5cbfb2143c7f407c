"""Compares two systems or more, of any recipes, by one metric on one test set.

    python -m s2st_interleave compare exp/baseline/greedy_last/test \\
        ../other/exp/scheduled/greedy_last/test [DIR ...] [--metric chrf] [--json true]

Each DIR holds the score.json of stage 9, or is a system with one such folder below it.
Each is compared with the first, by the paired bootstrap that stage 9 uses; where several
are, p-values are Holm's. Nothing is written.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.errors import UserError
from s2st_interleave.option_parser import plain_parser
from s2st_interleave.score import bootstrap, columns, records
from s2st_interleave.score.choice import metric_of
from s2st_interleave.score.comparable import check_metric, check_texts, key_of
from s2st_interleave.score.records import SystemScore
from s2st_interleave.text_file import read_lines
from s2st_interleave.text_table import table
from s2st_interleave.weights import reading

COUNTS = "counts.npz"  # what each metric adds up, by utterance: compare draws from it


@dataclass(frozen=True)
class Scored:
    """A decode that stage 9 has scored."""

    directory: Path
    score: SystemScore

    @classmethod
    def read(cls, directory: Path) -> "Scored":
        path = directory / "score.json"
        return cls(directory, records.read(SystemScore, path))

    def counts(self, key: str) -> tuple[list[str], np.ndarray]:
        """Utterance ids, sorted, and what the metric adds up for each."""
        key = key_of(self.score, key)
        path = self.directory / "score" / COUNTS
        if not path.is_file():
            raise UserError(
                f"{path} is missing: run stage 9 again, with --overwrite true"
            )
        with (
            reading(path, "run stage 9 again, with --overwrite true"),
            np.load(path) as counts,
        ):
            ids, rows = counts["ids"].tolist(), counts[key]
        if len(ids) != len(rows):
            raise UserError(
                f"{path}: {len(rows)} rows of {key} for {len(ids)} utterances: run stage 9 "
                "again, with --overwrite true"
            )
        return ids, rows

    def references(self, ids: Sequence[str]) -> dict[str, str]:
        """The normalised references of the primary metric, by utterance id."""
        path = self.directory / "score" / "utterances.tsv"
        if not path.is_file():  # an earlier version wrote none
            return dict.fromkeys(ids, "")
        rows = [line.split("\t") for _, line in read_lines(path)]
        names = rows[0] if rows else []
        for number, row in enumerate(rows or [[]], 1):
            if "reference" not in names or len(row) != len(names):
                raise UserError(
                    f"{path}:{number}: no whole line with a reference: run stage 9 again, "
                    "with --overwrite true"
                )
        return {row[0]: row[names.index("reference")] for row in rows[1:]}


@dataclass(frozen=True)
class Row:
    """A system's score, and its difference to the first one's; p_holm of several."""

    directory: str
    system: str
    checkpoint: str
    value: float | None
    ci95: tuple[float, float] | None
    num_missing: int
    delta: float | None = None
    delta_ci95: tuple[float, float] | None = None
    p_value: float | None = None
    p_holm: float | None = None


def main(words: Sequence[str]) -> int:
    # 1. Which directories, by which metric?
    parser = plain_parser("compare", __doc__)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--metric", default="")
    parser.add_argument("--num_resamples", "--num-resamples", type=int, default=1000)
    parser.add_argument("--bootstrap_seed", "--bootstrap-seed", type=int, default=0)
    parser.add_argument("--json", choices=("true", "false"), default="false")
    chosen = parser.parse_args(words)
    scored = [Scored.read(path) for path in decodes(chosen.directories)]

    # 2. Compare, and print.
    key = chosen.metric or scored[0].score.primary
    rows = compared(scored, key, chosen.num_resamples, chosen.bootstrap_seed)
    if chosen.json == "true":
        print(json.dumps([{"metric": key, **asdict(row)} for row in rows], indent=1))
    else:
        print(render(rows, key, scored))
    return 0


def decodes(directories: Sequence[Path]) -> list[Path]:
    """The folder with score.json of each: itself, or the one below it.

    Where a system has several, it is the one that lies as that of another does. Raises
    UserError, naming them, where that decides nothing, and where there is none.
    """
    if len(directories) < 2:
        raise UserError("one directory: name two or more to compare")
    below = {each: _below(each) for each in directories}
    tails = {
        path.parts[-2:] for paths in below.values() if len(paths) == 1 for path in paths
    }
    found = []
    for each, paths in below.items():
        alike = [path for path in paths if path.parts[-2:] in tails]
        paths = alike if len(paths) > 1 and len(alike) == 1 else paths
        if len(paths) != 1:
            listed = "".join(f"\n  {path}" for path in paths)
            raise UserError(
                f"{each} has {len(paths)} scored decodes, name one:{listed}"
                if paths
                else f"{each}: no score.json there or below it; stage 9 (score) makes it"
            )
        found.append(paths[0])
    return found


def _below(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise UserError(f"{directory}: no such folder")
    if (directory / "score.json").is_file():
        return [directory]
    return sorted(path.parent for path in directory.glob("*/*/score.json"))


def compared(
    scored: Sequence[Scored], key: str, num_resamples: int, seed: int
) -> list[Row]:
    """A row for each; UserError where they do not compare, which is said of whom."""
    first, *others = scored
    for other in others:
        check_metric(other.score, first.score, key, names=_names(other, first))
    ids, counts = first.counts(key)
    results: list[bootstrap.PairedResult] = []
    for other in others:
        other_ids, other_counts = other.counts(key)
        names = _names(other, first)
        check_texts(dict.fromkeys(other_ids, ""), dict.fromkeys(ids, ""), names)
        if other.score.primary == first.score.primary:  # whose references are kept
            check_texts(other.references(ids), first.references(ids), names)
        result = bootstrap.paired(
            other_counts,
            counts,
            metric_of(key).score,
            num_resamples=num_resamples,
            seed=seed,
        )
        if result is None:
            raise UserError(
                f"{names[0]} or {names[1]} has no {key}: there is no difference"
            )
        results.append(result)
    p_values = {str(k): each.p_value for k, each in enumerate(results)}
    adjusted = bootstrap.holm(p_values)
    rows = [_row(first, key)]
    for number, (other, each) in enumerate(zip(others, results, strict=True)):
        p_holm = adjusted[str(number)] if len(results) > 1 else None
        rows.append(_row(other, key, each, p_holm))
    return rows


def _names(one: Scored, other: Scored) -> tuple[str, str]:
    return str(one.directory), str(other.directory)


def _row(
    scored: Scored,
    key: str,
    result: bootstrap.PairedResult | None = None,
    p_holm: float | None = None,
) -> Row:
    score = scored.score
    measured = score.scores[key_of(score, key)]
    return Row(
        directory=str(scored.directory),
        system=score.system,
        checkpoint=score.checkpoint,
        value=measured.value,
        ci95=measured.ci95,
        num_missing=score.num_missing,
        delta=result.delta if result else None,
        delta_ci95=result.ci95 if result else None,
        p_value=result.p_value if result else None,
        p_holm=p_holm,
    )


def render(rows: Sequence[Row], key: str, scored: Sequence[Scored]) -> str:
    """The table as text in columns, and what its numbers are."""
    systems, digits = [each.score for each in scored], columns.digits(key)
    key = key_of(systems[0], key)
    lower = ", lower is better" if columns.lower_is_better(key) else ""
    has_holm = any(row.p_holm is not None for row in rows)
    head = ["", columns.heading(key, systems), "95% interval", "missing"]
    head += ["to the first", "95% interval", "differs", "p one-sided"]
    head += ["p, Holm"] * has_holm
    body = []
    for row in rows:
        cells = [
            row.directory,
            columns.number(row.value, digits),
            _span(row.ci95, digits),
        ]
        delta = "" if row.delta is None else f"{row.delta:+.{digits}f}"
        cells += [f"{row.num_missing}", delta, _span(row.delta_ci95, digits)]
        cells.append(columns.differs(row.delta_ci95) if row.delta_ci95 else "")
        cells.append("" if row.p_value is None else f"{row.p_value:.4f}")
        if has_holm:
            cells.append("" if row.p_holm is None else f"{row.p_holm:.4f}")
        body.append(cells)
    shared = set.intersection(*(set(score.scores) for score in systems)) - {key}
    others = f"\nother metrics of all of them: {' '.join(sorted(shared))}"
    first = systems[0]
    return (
        f"{columns.heading(key, systems)}{lower}; {first.split}, {first.num_utterances} "
        "utterances\n"
        + table(head, body)
        + "\nSystems differ where the interval excludes 0; p is by the paired bootstrap of "
        "stage 9, close to one-sided." + (others if shared else "")
    )


def _span(ci95: tuple[float, float] | None, digits: int) -> str:
    return columns.interval(ci95, digits) if ci95 else ""
