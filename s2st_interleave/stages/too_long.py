"""Stage 5: what an LLM has no positions for is known before it is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from s2st_interleave import drops
from s2st_interleave.config import option
from s2st_interleave.errors import UserError
from s2st_interleave.files import file_digest
from s2st_interleave.interleave import length
from s2st_interleave.interleave.dump import Dump, Utterance
from s2st_interleave.interleave.layout import S2ST, Block, Kind, Layout
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.encoder import model_input

# Files of a saved LLM that say how it reads text and how much of it; not its weights.
READS_BY = ("config.json", "tokenizer*", "*.model", "vocab*", "merges.txt")
READS_BY += ("special_tokens_map.json", "added_tokens.json")


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """They are part of what a dump is made from only where something is too long.

    Else every LLM for which that is so may use it.
    """

    llm: Path | None = option(
        None,
        "LLM of stage 6, a directory or a hub's name: is each sequence, at text ratio 0, "
        "within its positions? none: stage 6 will tell",
        runtime=True,
    )
    layout: str | None = option(
        None,
        "of the task of stage 6, whose blocks are counted; none: all that the sides have, "
        "speech and text, as the paper's task has them",
        runtime=True,
    )
    too_long: Literal["error", "drop", "missing"] = option(
        "error",
        "of a sequence that is not: drop it (train, where any text ratio counts), or "
        "leave it out of dev loss and decoding and count it as missing in every score "
        "(dev, test)",
        runtime=True,
    )
    max_drop_rate: float = option(0.05, "drop more and fail", runtime=True)


def find(
    utterances: Sequence[Utterance] | Dump, options: LimitOptions, name: str
) -> dict[str, str]:
    """Why the LLM cannot take some utterances of a split, by id.

    Raises UserError where none may be, or where they are too many of train.
    """
    if options.llm is None:
        return {}
    from s2st_interleave.llm.model import reader

    model_input(options.llm)  # an error says where a path that is missing comes from
    llm = reader(options.llm)
    drop = options.too_long == "drop"
    blocks = options.layout and Layout.parse(options.layout)
    tokens_of = length.most_tokens if drop else length.num_tokens
    found, total = {}, len(utterances)
    if blocks and utterances:
        _check_sides(blocks, utterances[0])
    for one in utterances:
        if llm.max_length is None or length.fits_surely(one, llm.max_length):
            continue
        tokens = tokens_of(one, llm.encode, blocks or all_blocks(one))
        if tokens > llm.max_length:
            found[one.id] = (
                f"sequence is too long: {tokens} tokens, {options.llm} has positions for "
                f"{llm.max_length}"
            )
    what = f"of {name} are too long for the LLM"
    if options.too_long == "error":
        why = (
            "take an LLM of more positions (--llm), or leave them out of dev loss and "
            "decoding and count them as missing: run.sh --dump_args '--too_long missing';"
            " in train --too_long drop leaves them out"
        )
        drops.limit(found, total, 0, what, why)
    elif drop:
        why = f"--max_drop_rate {options.max_drop_rate:g}, or an LLM of more positions"
        drops.limit(found, total, options.max_drop_rate, what, why)
    if found:
        outcome = "dropped" if drop else "counted as missing"
        print(
            f"dump: {len(found)} {what}, {outcome}:\n{drops.listed(found)}", flush=True
        )
    return found


def all_blocks(utterance: Utterance) -> Layout:
    """Every side as speech and as text, of which the first one's speech is given."""
    first, *rest = (
        Block(side, kind) for side in utterance.sides for kind in get_args(Kind)
    )
    return Layout((first,), tuple(rest))


def _check_sides(layout: Layout, utterance: Utterance) -> None:
    for side in layout.sides:
        if side not in utterance.sides:
            raise UserError(
                f"task '{layout}': there is no side '{side}', only "
                f"{', '.join(utterance.sides)}"
            )


def as_input(found: dict[str, str], options: LimitOptions) -> dict[str, str]:
    """What a new dump is made from besides words and units."""
    return _input(options) if found else {}


def as_input_again(
    directory: Path, done: dict[str, Any], options: LimitOptions
) -> dict[str, str]:
    """The same of a finished dump that need not be made anew, whatever the LLM now."""
    if "too_long" in done["inputs"]:
        return {} if options.llm is None else _input(options)
    facts = done["facts"]
    same_llm = options.llm is None or facts.get("llm") == llm_print(options.llm)
    if same_llm and _counted(facts.get("layout")) == _counted(options.layout):
        return {}
    return as_input(find(Dump(directory), options, directory.name), options)


def _input(options: LimitOptions) -> dict[str, str]:
    counted = _counted(options.layout)
    of_task = "" if counted == _WHOLE else f", {counted}"
    return {"too_long": f"{options.too_long} for {llm_print(options.llm)}{of_task}"}


def _counted(layout: str | None) -> str:
    """What decides on lengths, of a layout: its blocks, in whatever order."""
    blocks = sorted(block.name for block in Layout.parse(layout or S2ST).blocks)
    return " ".join(blocks)


_WHOLE = _counted(None)  # what was counted before a task said it


def llm_print(llm: Path | None) -> str | None:
    """A hub's name; of a directory a digest of what decides on lengths, not of weights."""
    if llm is None:
        return None
    known = model_input(llm)
    if isinstance(known, Input) and llm.is_dir():
        paths = {p for pattern in READS_BY for p in llm.glob(pattern) if p.is_file()}
        return digest({p.name: file_digest(p) for p in sorted(paths)})
    return known if isinstance(known, str) else known.fingerprint()
