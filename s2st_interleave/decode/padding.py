"""Batches of prompts: all may share one where left padding and the cache change nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from transformers import LogitsProcessorList, PreTrainedModel

from s2st_interleave.errors import UserError
from s2st_interleave.llm.backbone import in_fp32
from s2st_interleave.llm.positions import max_positions
from s2st_interleave.precision import exact, spread_apart

NUM_STEPS = 4  # generated tokens of a trial: the first without a cache, the others with
# In standard deviations of logits. Rounding stays a thousand times below; a recurrent
# state that has read padding is a thousand times above.
TOLERANCE = 0.001


@dataclass(frozen=True)
class Batching:
    """Batches in which a model gives the answers that it gives to each prompt alone."""

    padded: bool = True  # prompts of unequal length
    cached: bool = True  # keys, values and states of the tokens before

    def cut(
        self,
        lengths: Sequence[int],
        batch_size: int,
        wanted: Sequence[int],
        most: int | None,
    ) -> list[list[int]]:
        """Cut prompts of rising `lengths`, in tokens, into batches of their indices.

        Answers may be `wanted` tokens long, as far as the LLM's `most` positions go, None
        for no limit. Where a longer prompt of its batch would end an answer sooner, prompts
        share a batch with those of their own length alone.
        """

        def alike(indices: list[int]) -> list[list[int]]:
            return [list(same) for _, same in groupby(indices, lengths.__getitem__)]

        def has_room(batch: list[int]) -> bool:
            longest = max(lengths[index] for index in batch)
            return most is None or longest + max(wanted[k] for k in batch) <= most

        indices = list(range(len(lengths)))
        batches = [
            group[start : start + batch_size]
            for group in ([indices] if self.padded else alike(indices))
            for start in range(0, len(group), batch_size)
        ]
        return [
            part
            for batch in batches
            for part in ([batch] if has_room(batch) else alike(batch))
        ]


LADDER = (
    Batching(),
    Batching(padded=False),
    Batching(True, False),
    Batching(False, False),
)


def batching(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    pad: int,
    num_beams: int = 1,
) -> Batching:
    """Find the fastest batching of the ladder with which `model.generate` is right.

    It is tried on the shortest and the longest of `prompts`, cut to the model's positions:
    in one batch they must get the logits that each gets alone and without a cache, as in
    training. They do not where a recurrent state reads padding as text, or where a cache
    is inexact. Prints a note where it is not the first of the ladder. Raises UserError
    where none is right.
    """
    most = max_positions(model.config)
    room = None if most is None else max(1, most - NUM_STEPS)
    longest, shortest = (list(f(prompts, key=len))[:room] for f in (max, min))
    pairs = {
        True: (shortest, longest),
        False: (longest, [*longest[:1], *reversed(longest[1:])]),
    }
    kind = model.config.model_type
    far = math.inf
    for rules in LADDER:
        far = _difference(model, pairs[rules.padded], pad, num_beams, rules.cached)
        if not far < TOLERANCE:
            continue
        if rules != LADDER[0]:
            print(f"a {kind} model is decoded {_in_words(rules)}: it is not exact else")
        return rules
    remedy = "take another LLM" + (" or --num_beams 1" if num_beams > 1 else "")
    raise UserError(
        f"a {kind} model does not say in a batch what it says alone, even "
        f"{_in_words(LADDER[-1])} (logits are off by {far:.2g} of their spread): {remedy}"
    )


def _in_words(rules: Batching) -> str:
    lengths = "with padding" if rules.padded else "in batches of equal length"
    return f"{lengths} and {'with' if rules.cached else 'without'} a cache"


def _difference(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    pad: int,
    num_beams: int,
    cached: bool,
) -> float:
    """Largest difference of logits in a left-padded batch and alone, in their deviations.

    It is infinite where the library refuses. Tokens are random, so that beams change places.
    """
    device = model.device
    ids, mask = (tensor.to(device) for tensor in left_padded(prompts, pad))
    random = torch.Generator().manual_seed(1)
    eos = model.generation_config.eos_token_id
    ends = sorted({pad, *([eos] if isinstance(eos, int) else eos or ())})

    def draw(_: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(scores.shape, generator=random)
        noise[:, ends] = -1e9
        return noise.to(scores.device)

    with in_fp32(model), torch.inference_mode(), exact():
        try:
            output = model.generate(  # pyrefly: ignore[not-callable]: of a mixin
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=NUM_STEPS,
                do_sample=False,
                num_beams=num_beams,
                use_cache=cached,
                pad_token_id=pad,
                logits_processor=LogitsProcessorList([draw]),
                return_dict_in_generate=True,
                output_logits=True,
            )
        except ValueError:  # the library cannot do this with the model's cache
            return float("inf")
        far = []
        for row, prompt in enumerate(prompts):
            answer = output.sequences[row, ids.shape[1] :].tolist()
            rows = [row] * len(answer)
            if num_beams > 1:
                rows = output.beam_indices[row, : len(answer)].tolist()
            steps = zip(output.logits, rows, strict=True)
            together = torch.stack([logits[at] for logits, at in steps]).float()
            text = torch.tensor([[*prompt, *answer[:-1]]], device=device)
            alone = model(text, use_cache=False).logits[0, len(prompt) - 1 :].float()
            far.append(spread_apart(together, alone))
    return max(far)


def left_padded(
    prompts: Sequence[Sequence[int]], pad: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """int64 ids and mask of shape (num_prompts, longest)."""
    longest = max(map(len, prompts))
    ids = torch.full((len(prompts), longest), pad)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        mask[row, longest - len(prompt) :] = 1
    return ids, mask
