"""Describes how the page's scores were made: cells, recogniser, commits, builds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.grid import Cell


def provenance(content: PageContent) -> str:
    """A Markdown list for the head of the page."""
    grid = content.grid
    done = [content.results[c.name] for c in grid.cells if c.name in content.results]
    states = [result["git"] for result in done if result["git"]["hash"]]
    commits = {git["hash"][:9] + ("-dirty" if git["dirty"] else "") for git in states}
    hours = sum(result["wall_sec"] for result in done) / 3600
    name = grid.folder.name
    command = (
        f"command: `{grid.command}`; with `--page true` it makes this page from the "
    )
    reason = f" ({grid.recipe.notes.builds})" if grid.recipe.notes.builds else ""
    if grid.own_models:
        reason = " (each pair has its own)"
    lines = (
        f"{len(done)} of {len(grid.cells)} cells are there: {hours:.1f} hours in all, one "
        "by one (a cell that was stopped counts from its last start)",
        *_protocol(done, grid.recipe.notes.mos),
        *_missing(content),
        f"{command}stored scores in `{name}/cells`",
        f"git of the cells: {', '.join(sorted(commits)) or 'none'}",
        f"seeds and configs: `{name}/grid.yaml`, `conf`",
        f"builds of what the cells share: {_builds(content) or 'none'}{reason}",
    )
    return "\n".join(f"- {line}" for line in lines)


def _builds(content: PageContent) -> str:
    """The builds of the shared models, each with the number and tables of its cells."""
    builds: dict[str, list[Cell]] = {}
    for cell in content.grid.cells:
        if cell.name in content.results:
            build = content.results[cell.name]["build"]
            builds.setdefault(build, []).append(cell)
    return "; ".join(
        f"{build[:8]}, {len(cells)} cells (table "
        + ", ".join(dict.fromkeys(cell.table for cell in cells))
        + ")"
        for build, cells in builds.items()
    )


def _protocol(done: Sequence[Mapping[str, Any]], mos: str) -> Iterator[str]:
    """Recogniser, normaliser, signature and MOS predictor, from the stored scores."""
    scores = [result["scores"]["last"] for result in done]
    if not scores:
        return
    asr = {f"{s['asr']['backend']} {s['asr']['model']}" for s in scores}
    sizes = {s["num_utterances"] for s in scores}
    normalizers = sorted({s["normalizer"] for s in scores})
    rules, signatures = (
        ", or ".join(normalizers),
        sorted({s["signature"] for s in scores}),
    )
    yield f"ASR-BLEU: {', '.join(sorted(asr))}; {rules}; " + (
        f"sacrebleu `{'`, `'.join(signatures)}`; {min(sizes)} test utterances a pair"
    )
    if len(normalizers) > 1:
        yield (
            "ASR-BLEU is checked and compared by the rules of this version; transcript WER and "
            "translation BLEU are as each cell was scored"
        )
    if mos and any(score["mos"] for score in scores):
        yield f"MOS: {mos}"


def _missing(content: PageContent) -> Iterator[str]:
    """The cells with answers that have no audio, which count as empty."""
    counts = {
        name: result["scores"]["last"]["num_missing"]
        for name, result in content.results.items()
    }
    missing = [f"{name} {count}" for name, count in sorted(counts.items()) if count]
    if missing:
        yield (
            "answers without audio, which count as empty and have no MOS (of two systems those "
            f"are compared that both speak): {', '.join(missing)}"
        )
