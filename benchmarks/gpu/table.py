"""The table of what the pieces have measured: python -m benchmarks.gpu.table [--write].

`--write` puts it into benchmarks/README.md, between its markers. A row that no JSON has
says "not measured", and why where the JSON says that.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.gpu.pieces import PIECES
from benchmarks.gpu.record import Figure, Record, read

HERE = Path(__file__).parents[1]
README, RESULTS = HERE / "README.md", HERE / "results" / "gpu"
BEGIN, END = "<!-- gpu table: begin -->", "<!-- gpu table: end -->"
HEAD = (
    "what",
    "ours",
    "other",
    "ratio (from, to)",
    "MFU (other's)",
    "peak GB (other's, planned)",
    "against",
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu.table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of JSONs")
    parser.add_argument(
        "--write", action="store_true", help="into benchmarks/README.md"
    )
    options = parser.parse_args(argv)
    text = table(options.results)
    print(text)
    if options.write:
        README.write_text(with_table(README.read_text(), text))


def table(results: Path) -> str:
    """The table in Markdown, and a line for each card."""
    records = {
        piece.name: read(results / f"{piece.name}.json")
        for piece in PIECES
        if (results / f"{piece.name}.json").is_file()
    }
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for piece in PIECES:
        for row in piece.rows:
            cells = _cells(row, records.get(piece.name))
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_machines(records.values())]).rstrip()


def with_table(readme: str, text: str) -> str:
    """The README with this table between the markers, which it must have."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{README} has no markers {BEGIN} and {END}"
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _cells(row: str, record: Record | None) -> list[str]:
    figure = record.figures.get(row) if record else None
    if figure is None:
        reason = f": {record.reason}" if record and record.reason else ""
        return [row, "not measured", *[""] * (len(HEAD) - 3), reason[2:]]
    against = "; ".join(filter(None, (figure.against, figure.note)))
    return [row, *_numbers(figure), against]


def _numbers(figure: Figure) -> Iterator[str]:
    yield f"{figure.ours:.4g} {figure.unit}"
    yield "" if figure.other is None else f"{figure.other:.4g}"
    if figure.ratio is None:
        yield ""
    else:
        yield f"{figure.ratio:.2f} ({figure.lowest:.2f}, {figure.highest:.2f})"
    yield _with("{:.0%}", figure.mfu, [("", figure.other_mfu)])
    others = [("", figure.other_peak_gb), ("planned ", figure.planned_gb)]
    yield _with("{:.1f}", figure.peak_gb, others)


def _with(
    form: str, value: float | None, others: Sequence[tuple[str, float | None]]
) -> str:
    """A value, with others in brackets; "" where there is none."""
    if value is None:
        return ""
    more = [word + form.format(each) for word, each in others if each is not None]
    return form.format(value) + (f" ({', '.join(more)})" if more else "")


def _machines(records: Iterator[Record]) -> Iterator[str]:
    for record in records:
        versions = ", ".join(f"{name} {v}" for name, v in record.versions.items())
        size = "" if record.size == "full" else f"size {record.size}; "
        yield (
            f"{record.piece}: {size}{record.device}; {versions}; git {record.git}; "
            f"{record.seconds:.0f} s.  "
        )


if __name__ == "__main__":
    main()
