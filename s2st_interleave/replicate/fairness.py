"""The tables under "Is it fair to the baseline?": its own best, more steps, other LLMs."""

from s2st_interleave.replicate.findings import Findings
from s2st_interleave.replicate.search import (
    LENGTHS,
    STRETCHED,
    candidates,
    dev_loss,
    last_dev_accuracy,
    searched_pairs,
)
from s2st_interleave.replicate.search import SYSTEMS as SEARCHED
from s2st_interleave.replicate.statistics import spearman_permutation
from s2st_interleave.replicate.tables import (
    DIFFERENCE,
    SYSTEMS,
    difference_row,
    mean_score,
    number,
    pairs_by_size,
    stored,
    with_interval,
)
from s2st_interleave.score.results import markdown_table


def checkpoints(found: Findings) -> str:
    rows = []
    for cell in found.grid.cells:
        result = found.results.get(cell.name)
        if result and cell.table in ("1", "2", "3") and cell.seed == 1:
            step = result["train"]["best"].rpartition("-")[2]
            scores = (result["scores"][name]["asr_bleu"] for name in ("last", "best"))
            rows.append([cell.pair, cell.variant, *map(number, scores), step])
    return markdown_table(
        ["pair", "system", "last", "best", "best at step"], sorted(rows)
    )


def search(found: Findings) -> str:
    rows = []
    for pair in searched_pairs(found.grid):
        for system in SEARCHED:
            for cell in candidates(found.grid, system, pair):
                result = found.results.get(cell.name)
                if result:
                    dev = f"{dev_loss(result):.3f}", f"{last_dev_accuracy(result):.3f}"
                    both = (result["scores"][k]["asr_bleu"] for k in ("best", "last"))
                    rows.append([pair, cell.system, *dev, *map(number, both)])
    names = ["pair", "system", "best dev loss", "last dev accuracy"]
    return markdown_table([*names, "ASR-BLEU at best dev", "at last"], rows)


def winners(found: Findings) -> str:
    rows = [[rule, *difference_row(one)] for rule, one in found.tuned]
    parts = (
        [markdown_table(["chosen by; checkpoint", *DIFFERENCE], rows)] if rows else []
    )
    done = {one.pair for _, one in found.tuned}
    if left := [pair for pair in searched_pairs(found.grid) if pair not in done]:
        parts.append(f"The search is not complete yet: {', '.join(left)}.")
    return "\n\n".join(parts)


def longer(found: Findings) -> str:
    """A pair's systems as they are, and trained for twice and four times as long."""
    there = {(c.pair, c.variant) for c in found.grid.compared("search")}
    gains = {(c.pair, c.other): c.difference for c in found.longer}
    rows = [
        [pair, f"{times}"]
        + [mean_score(found, pair, name + end, "search") for name in SYSTEMS[:2]]
        + [with_interval(gains.get((pair, f"baseline{end}")))]
        for pair in searched_pairs(found.grid)
        for times, end in LENGTHS
        if (pair, f"baseline{end}") in there
    ]
    return markdown_table(["pair", "times the steps", *SYSTEMS[:2], "gain"], rows)


def twice(found: Findings) -> str:
    """Table 2 with twice the steps for both, and the order of its gains."""
    systems = [name + dict(LENGTHS)[2] for name in SYSTEMS[:2]]
    every_gain = found.gains_of_twice, found.gains_of_twice_unlooped, found.gains
    rows = []
    for pair in pairs_by_size(found):
        of_systems = [stored(found, pair, name, *STRETCHED) for name in systems]
        builds = {result["build"][:8] for kept in of_systems for result in kept}
        rows.append(
            [pair, f"{found.sizes[pair.partition('_')[0]]:,}"]
            + [mean_score(found, pair, name, *STRETCHED) for name in systems]
            + [with_interval(gains.get(pair)) for gains in every_gain]
            + [", ".join(sorted(builds)) or "n/a"]
        )
    names = ["pair", "train", *SYSTEMS[:2], "gain", "without loops"]
    names += ["gain in Table 2", "build"]
    return f"{markdown_table(names, rows)}\n\n{_order_of_twice(found)}"


def _order_of_twice(found: Findings) -> str:
    pairs, there = pairs_by_size(found), len(found.gains_of_twice)
    if there < len(pairs):
        return f"{there} of {len(pairs)} pairs are there."
    sizes = [found.sizes[pair.partition("_")[0]] for pair in pairs]
    (rho, p, _), (rho_unlooped, p_unlooped, _) = (
        spearman_permutation(sizes, [gains[pair].delta for pair in pairs])
        for gains in (found.gains_of_twice, found.gains_of_twice_unlooped)
    )
    return (
        f"Spearman's rho of gain and size: {rho:.2f}, exact p {p:.4f}; without loops "
        f"{rho_unlooped:.2f}, p {p_unlooped:.4f}."
    )


def controls(found: Findings) -> str:
    pairs = dict.fromkeys(c.pair for c in found.grid.cells if c.table == "control")
    rows = [
        [pair, llm or "parallel"]
        + [
            mean_score(found, pair, f"{system}.{llm}" if llm else system)
            for system in SYSTEMS[:2]
        ]
        for pair in pairs
        for llm in ("", "mono", "random")
    ]
    return markdown_table(["pair", "text LLM", *SYSTEMS[:2]], rows)
