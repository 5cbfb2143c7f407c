"""Counts the cells that are left, and the GPU hours of their trainings."""

from collections import Counter
from collections.abc import Sequence

from s2st_interleave import config
from s2st_interleave.plan import answer_work, command, counts, phases, sizes, work
from s2st_interleave.plan.corpus import Llm
from s2st_interleave.replicate.grid import Grid

NUM_DRAWN = 50  # steps whose batches are drawn; their mean stands for all steps


def plan_line(grid: Grid, words: Sequence[str]) -> str:
    """A line with the number of pending cells and the GPU hours of their trainings.

    Hours are those that `plan` computes from a pair's dump of stage 5, for the system that
    the recipe's `plan` names. Those of the baseline are too many for most systems, as text
    is shorter than units, and too few for those that read an utterance twice. `words` are
    more options of `plan`.
    """
    num_cells = Counter(cell.pair for cell in grid.pending())
    line = f"plan: {num_cells.total()} of {len(grid.cells)} cells to run"
    hours, gpu, unknown = 0.0, "", []
    for pair, num_left in num_cells.items() if grid.recipe.plan else ():
        options = _options(grid, pair, words)
        if all((dump / "stage.json").is_file() for dump in options.dump_dir):
            gpu, pair_hours = training_hours(options)
            hours += num_left * pair_hours
        else:
            unknown.append(pair)
    if gpu:
        shown = f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"
        line += (
            f"; trainings: {shown} GPU hours, were all the baseline's ({gpu}, by rates of "
            "`plan`)"
        )
    if unknown:
        line += f"; unknown before stage 5 of {', '.join(unknown)}"
    return line


def _options(grid: Grid, pair: str, words: Sequence[str]) -> command.Options:
    places = {"recipe": grid.recipe.folder, "pair": pair, "shared": grid.shared(pair)}
    line = [word.format(**places) for word in grid.recipe.plan]
    return config.parse(command.Options, [*line, *words], prog="replicate plan")


def training_hours(options: command.Options) -> tuple[str, float]:
    """The first GPU that `options` name, and the hours of a training on one of them."""
    task = command.planned_task(options)
    llm = sizes.measure(options.sizes or options.llm, task.llm.vocabulary.size)
    drawn = list(counts.draw_steps(task, min(NUM_DRAWN, options.max_steps)))
    rates = command.rates(options)
    trained = answer_work.train(
        vars(options),
        Llm(options.sizes or options.llm, llm.vocabulary, llm.num_weights),
        phases.of_steps(drawn, options.max_steps / len(drawn)),
        options.dev_utterances,
        rates,
        1,
    )
    gpu = command.devices(options, rates)[0]
    return gpu.name, sum(work.seconds(trained, gpu, rates).values()) / 3600
