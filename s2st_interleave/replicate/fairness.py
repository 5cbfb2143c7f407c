"""Tables under "Is it fair to the baseline?": its best tuning, more steps, other LLMs."""

from collections import Counter

from s2st_interleave.replicate.content import PageContent
from s2st_interleave.replicate.search import (
    LENGTHS,
    NUM_RULES,
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
    stored,
    with_interval,
)
from s2st_interleave.score.results import markdown_table


def checkpoints(content: PageContent) -> str:
    """A table of the last and the best checkpoint of each system, seed 1."""
    rows = []
    for cell in content.grid.cells:
        result = content.results.get(cell.name)
        if result and cell.table in ("1", "2", "3") and cell.seed == 1:
            step = result["train"]["best"].rpartition("-")[2]
            scores = (result["scores"][name]["asr_bleu"] for name in ("last", "best"))
            rows.append([cell.pair, cell.variant, *map(number, scores), step])
    return markdown_table(
        ["pair", "system", "last", "best", "best at step"], sorted(rows)
    )


def search(content: PageContent) -> str:
    """A table of all candidates of the search."""
    rows = []
    for pair in searched_pairs(content.grid):
        for system in SEARCHED:
            for cell in candidates(content.grid, system, pair):
                result = content.results.get(cell.name)
                if result:
                    dev = f"{dev_loss(result):.3f}", f"{last_dev_accuracy(result):.3f}"
                    bleus = (result["scores"][k]["asr_bleu"] for k in ("best", "last"))
                    rows.append([pair, cell.system, *dev, *map(number, bleus)])
    names = ["pair", "system", "best dev loss", "last dev accuracy"]
    return markdown_table([*names, "ASR-BLEU at best dev", "at last"], rows)


def winners(content: PageContent) -> str:
    """A table of the search's winners, and the pairs whose search is not complete."""
    rows = [[rule, *difference_row(comparison)] for rule, comparison in content.tuned]
    parts = (
        [markdown_table(["chosen by; checkpoint", *DIFFERENCE], rows)] if rows else []
    )
    chosen = Counter(comparison.pair for _, comparison in content.tuned)
    every = searched_pairs(content.grid)
    if left := [pair for pair in every if chosen[pair] < NUM_RULES]:
        parts.append(f"The search is not complete yet: {', '.join(left)}.")
    return "\n\n".join(parts)


def longer(content: PageContent) -> str:
    """A table of systems with their own steps, and with twice and four times as many."""
    there = {(c.pair, c.variant) for c in content.grid.compared("search")}
    gains = {(c.pair, c.other): c.difference for c in content.longer}
    rows = [
        [pair, f"{times}"]
        + [mean_score(content, pair, name + end, "search") for name in SYSTEMS[:2]]
        + [with_interval(gains.get((pair, f"baseline{end}")))]
        for pair in searched_pairs(content.grid)
        for times, end in LENGTHS
        if (pair, f"baseline{end}") in there
    ]
    return markdown_table(["pair", "times the steps", *SYSTEMS[:2], "gain"], rows)


def twice(content: PageContent) -> str:
    """Table 2 with twice the steps for both systems, and the order of its gains."""
    systems = [name + dict(LENGTHS)[2] for name in SYSTEMS[:2]]
    every_gain = content.gains_of_twice, content.gains_of_twice_unlooped, content.gains
    rows = []
    for pair in content.pairs_by_size:
        of_systems = [stored(content, pair, name, *STRETCHED) for name in systems]
        builds = {result["build"][:8] for kept in of_systems for result in kept}
        rows.append(
            [pair, content.size(pair)]
            + [mean_score(content, pair, name, *STRETCHED) for name in systems]
            + [with_interval(gains.get(pair)) for gains in every_gain]
            + [", ".join(sorted(builds)) or "n/a"]
        )
    names = ["pair", "train", *SYSTEMS[:2], "gain", "without loops"]
    names += ["gain in Table 2", "build"]
    return f"{markdown_table(names, rows)}\n\n{_order_of_twice(content)}"


def _order_of_twice(content: PageContent) -> str:
    pairs = content.pairs_by_size
    there = len(content.gains_of_twice.keys() & content.gains_of_twice_unlooped.keys())
    if there < len(pairs):
        return f"{there} of {len(pairs)} pairs are there."
    if not 3 <= there <= 9:  # of which an exact test goes through all orders
        return f"{there} pairs have no order to test."
    sizes = [content.sizes[pair] for pair in pairs]
    (rho, p, _), (rho_unlooped, p_unlooped, _) = (
        spearman_permutation(sizes, [gains[pair].delta for pair in pairs])
        for gains in (content.gains_of_twice, content.gains_of_twice_unlooped)
    )
    return (
        f"Spearman's rho of gain and size: {rho:.2f}, exact p {p:.4f}; without loops "
        f"{rho_unlooped:.2f}, p {p_unlooped:.4f}."
    )


def controls(content: PageContent) -> str:
    """A table of trainings that start from other text LLMs than all other cells."""
    cells = [c for c in content.grid.cells if c.table == "control"]
    rows = [
        [pair, llm or content.grid.recipe.notes.first_llm]
        + [
            mean_score(content, pair, f"{system}.{llm}" if llm else system)
            for system in SYSTEMS[:2]
        ]
        for pair in dict.fromkeys(c.pair for c in cells)
        for llm in dict.fromkeys(["", *(c.llm for c in cells)])
    ]
    return markdown_table(["pair", "text LLM", *SYSTEMS[:2]], rows)
