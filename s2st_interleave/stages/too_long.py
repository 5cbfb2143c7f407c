"""Stage 5 finds utterances that an LLM has no positions for, before it is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import regex

from s2st_interleave import drops
from s2st_interleave.config import option
from s2st_interleave.errors import UserError
from s2st_interleave.facts import DumpFacts
from s2st_interleave.files import file_digest
from s2st_interleave.interleave import length
from s2st_interleave.interleave.dump import Dump, Utterance
from s2st_interleave.interleave.layout import S2ST, Block, Kind, Layout
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input, is_looking
from s2st_interleave.stages.encoder import model_input

if TYPE_CHECKING:
    from s2st_interleave.llm.model import SpeechLlm

# Files of a saved LLM that decide on the lengths of sequences; not its weights.
READS_BY = ("config.json", "tokenizer*", "*.model", "vocab*", "merges.txt")
READS_BY += ("special_tokens_map.json", "added_tokens.json")


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """Options about sequences that are too long for an LLM.

    They are inputs of a dump only where some utterance is too long. A dump in which none
    is serves every LLM of which that is true.
    """

    llm: Path | None = option(
        None,
        "LLM of stage 6, a directory or a hub's name: is each sequence, at text ratio 0, "
        "within its positions? none: stage 6 will tell, before it trains",
        runtime=True,
    )
    layout: str | None = option(
        None,
        "layout of the task of stage 6, whose blocks are counted; none: speech and text of "
        "all sides, which the paper's task has",
        runtime=True,
    )
    prompt_tokens: int = option(
        0,
        "positions to leave free for the prompt of stage 6, which names pair or task",
        runtime=True,
        minimum=0,
    )
    too_long: Literal["error", "drop", "missing"] = option(
        "error",
        "what to do with a sequence that is not: drop it (train, where every text ratio "
        "counts), or leave it out of dev loss and decoding and count it as missing in "
        "every score (dev, test)",
        runtime=True,
    )
    max_drop_rate: float = option(
        0.05, "drop more and fail", runtime=True, minimum=0, maximum=1
    )
    max_unknown_rate: float = option(
        0.05,
        "of a side's texts, that the LLM's tokenizer can only write with its sign for "
        "unknown text: more, and fail",
        runtime=True,
        minimum=0,
        maximum=1,
    )


def find(
    utterances: Sequence[Utterance] | Dump, options: LimitOptions, name: str
) -> dict[str, str]:
    """Find utterances of a split that the LLM cannot take; reasons by id.

    Raises UserError where `options.too_long` is "error", or where it is "drop" and they
    are more than `options.max_drop_rate` of all.
    """
    if options.llm is None:
        return {}
    from s2st_interleave.llm.model import reader

    model_input(options.llm)  # an error says where a path that is missing comes from
    llm = reader(options.llm)
    drop = options.too_long == "drop"
    blocks = options.layout and Layout.parse(options.layout)
    tokens_of = length.most_tokens if drop else length.num_tokens
    if blocks and utterances:
        _check_sides(blocks, utterances[0])
    if not is_looking():
        _check_tokenizer(utterances, llm, options, name)
    reasons, total, most = {}, len(utterances), llm.max_length
    if most is None:
        return {}
    for index in length.doubtful(utterances, most - options.prompt_tokens):
        utterance = utterances[index]
        tokens = tokens_of(utterance, llm.encode, blocks or all_blocks(utterance))
        if tokens + options.prompt_tokens > most:
            reasons[utterance.id] = (
                f"sequence is too long: {tokens} tokens, {options.llm} has positions for "
                f"{most}"
            )
    complaint = f"of {name} are too long for the LLM"
    if options.too_long == "error":
        remedy = (
            "take an LLM of more positions (--llm), or leave them out of dev loss and "
            "decoding and count them as missing: run.sh --dump_args '--too_long missing';"
            " in train --too_long drop leaves them out"
        )
        drops.limit(reasons, total, 0, complaint, remedy)
    elif drop:
        limit = (
            f"--max_drop_rate {options.max_drop_rate:g}, or an LLM of more positions"
        )
        drops.limit(reasons, total, options.max_drop_rate, complaint, limit)
    if reasons:
        outcome = "dropped" if drop else "counted as missing"
        print(
            f"dump: {len(reasons)} {complaint}, {outcome}:\n{drops.listed(reasons)}",
            flush=True,
        )
    return reasons


def _words(text: str) -> str:
    """A text without the signs of which no word is made, such as a dash of some kind."""
    return regex.sub(r"[^\w\s']+", "", text)


def _check_tokenizer(
    utterances: Sequence[Utterance] | Dump,
    llm: "SpeechLlm",
    options: LimitOptions,
    name: str,
) -> None:
    """Count the texts of which the LLM does not read all; UserError where too many are.

    A tokenizer without bytes to fall back to may lack the script of a language.
    """
    from s2st_interleave.llm.encoding import encoder

    encode_all = encoder(llm.tokenizer)
    unknown_id = llm.tokenizer.unk_token_id
    marks = set(llm.tokenizer.all_special_tokens)

    @cache
    def is_written(char: str) -> bool:
        return bool(llm.decode(llm.encode(char)))

    def is_read(text: str, ids: np.ndarray) -> bool:
        if any(mark in text for mark in marks):  # some tokenizers take it for theirs
            return set(llm.encode(text)).isdisjoint(llm.tokenizer.all_special_ids)
        if unknown_id is not None:
            return unknown_id not in ids
        return all(map(is_written, set("".join(_words(text).split()))))

    read = Layout.parse(options.layout).sides if options.layout else ()
    lost: dict[str, list[str]] = {}
    for start in range(0, len(utterances), 1000):
        part = [utterances[k] for k in range(start, min(start + 1000, len(utterances)))]
        for side in read or part[0].sides:
            texts = [each.sides[side].text for each in part]
            encoded = encode_all(list(map(_words, texts)))
            for utterance, text, ids in zip(part, texts, encoded, strict=True):
                if not is_read(text, ids):
                    lost.setdefault(side, []).append(utterance.id)
    for side, ids in lost.items():
        complaint = (
            f"{len(ids)} of {len(utterances)} {side} texts of {name} hold what the "
            f"tokenizer of {options.llm} has no token for, or takes for a mark, first {ids[0]}"
        )
        if len(ids) > options.max_unknown_rate * len(utterances):
            raise UserError(
                f"{complaint}: take an LLM that writes this language, or let it pass with "
                f"--max_unknown_rate (now {options.max_unknown_rate:g})"
            )
        print(f"dump: warning: {complaint}", flush=True)


def all_blocks(utterance: Utterance) -> Layout:
    """A layout of every side as speech and as text; the first side's speech is given."""
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


def as_input(reasons: dict[str, str], options: LimitOptions) -> dict[str, str]:
    """Inputs of a new dump besides words and units: the options, if they left some out."""
    return _input(options) if reasons else {}


def as_input_again(
    directory: Path, done: dict[str, Any], options: LimitOptions
) -> dict[str, str]:
    """The same inputs of a finished dump, which may serve another LLM as it is."""
    if "too_long" in done["inputs"]:
        return {} if options.llm is None else _input(options)
    facts = DumpFacts.of(done, directory)
    is_same = options.llm is None or facts.llm == llm_print(options.llm)
    if (
        is_same
        and not options.prompt_tokens
        and _counted(facts.layout) == _counted(options.layout)
    ):
        return {}
    return as_input(find(Dump(directory), options, directory.name), options)


def _input(options: LimitOptions) -> dict[str, str]:
    counted = _counted(options.layout)
    of_task = "" if counted == _WHOLE else f", {counted}"
    if options.prompt_tokens:
        of_task += f", {options.prompt_tokens} for a prompt"
    return {"too_long": f"{options.too_long} for {llm_print(options.llm)}{of_task}"}


def _counted(layout: str | None) -> str:
    """The names of a layout's blocks, sorted: their order does not change the length."""
    blocks = sorted(block.name for block in Layout.parse(layout or S2ST).blocks)
    return " ".join(blocks)


_WHOLE = _counted(None)  # the blocks that versions without `layout` counted


def llm_print(llm: Path | None) -> str | None:
    """A hub's name, or the digest of a directory's files that decide on lengths."""
    if llm is None:
        return None
    known = model_input(llm)
    if isinstance(known, Input) and llm.is_dir():
        paths = {p for pattern in READS_BY for p in llm.glob(pattern) if p.is_file()}
        return digest({p.name: file_digest(p) for p in sorted(paths)})
    return known if isinstance(known, str) else known.fingerprint()
