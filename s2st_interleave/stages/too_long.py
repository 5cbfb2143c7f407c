"""Stage 5: what an LLM has no positions for is known before it is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from s2st_interleave import drops
from s2st_interleave.config import option
from s2st_interleave.files import file_digest
from s2st_interleave.interleave import length
from s2st_interleave.interleave.dump import Dump, Utterance
from s2st_interleave.interleave.layout import S2ST, Layout
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
        "LLM of stage 6, a directory or a hub's name: is each sequence, at text ratio 0 "
        "and with chain of thought, within its positions? none: stage 6 will tell",
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
    drop, layout = options.too_long == "drop", Layout.parse(S2ST)
    tokens_of = length.most_tokens if drop else length.num_tokens
    found, total = {}, len(utterances)
    for one in utterances:
        if llm.max_length is None or length.fits_surely(one, llm.max_length):
            continue
        tokens = tokens_of(one, llm.encode, layout)
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


def as_input(found: dict[str, str], options: LimitOptions) -> dict[str, str]:
    """What a new dump is made from besides words and units."""
    return _input(options) if found else {}


def as_input_again(
    directory: Path, done: dict[str, Any], options: LimitOptions
) -> dict[str, str]:
    """The same of a finished dump that need not be made anew, whatever the LLM now."""
    if "too_long" in done["inputs"]:
        return {} if options.llm is None else _input(options)
    if options.llm is None or done["facts"].get("llm") == llm_print(options.llm):
        return {}
    return as_input(find(Dump(directory), options, directory.name), options)


def _input(options: LimitOptions) -> dict[str, str]:
    return {"too_long": f"{options.too_long} for {llm_print(options.llm)}"}


def llm_print(llm: Path | None) -> str | None:
    """A hub's name; of a directory a digest of what decides on lengths, not of weights."""
    if llm is None:
        return None
    known = model_input(llm)
    if isinstance(known, Input) and llm.is_dir():
        paths = {p for pattern in READS_BY for p in llm.glob(pattern) if p.is_file()}
        return digest({p.name: file_digest(p) for p in sorted(paths)})
    return known if isinstance(known, str) else known.fingerprint()
