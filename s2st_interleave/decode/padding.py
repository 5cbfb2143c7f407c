"""Which prompts may share a batch: all, where left padding and the cache change nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from s2st_interleave.errors import UserError
from s2st_interleave.llm.backbone import without_flash
from s2st_interleave.llm.positions import max_positions
from s2st_interleave.train.precision import exact, spread_apart

NUM_STEPS = 4  # generated tokens of a trial: the first without a cache, the others with
# Of the logits' spread. Rounding stays a thousand times below it, a state that padding
# enters is a thousand times above.
TOLERANCE = 0.001


@dataclass(frozen=True)
class Batching:
    """What batches of a model have to be like for it to say what it says alone."""

    padded: bool = True  # prompts of unequal length
    cached: bool = True  # keys, values and states of the tokens before

    def cut(self, lengths: Sequence[int], batch_size: int) -> list[list[int]]:
        """Indices of `lengths`, which rise; in one batch only equal ones if not padded."""
        indices = list(range(len(lengths)))
        groups = [indices]
        if not self.padded:
            groups = [list(same) for _, same in groupby(indices, lengths.__getitem__)]
        return [
            group[start : start + batch_size]
            for group in groups
            for start in range(0, len(group), batch_size)
        ]


LADDER = (
    Batching(),
    Batching(padded=False),
    Batching(True, False),
    Batching(False, False),
)


def batching(
    model: Any, prompts: Sequence[Sequence[int]], pad: int, num_beams: int = 1
) -> Batching:
    """The fastest batching of the ladder with which `model.generate` is right.

    Tried with the shortest and the longest of `prompts`, cut to the model's positions:
    beside each other they have to get the logits that each gets alone and without a
    cache, as in training. A recurrent state takes padding for text, and some caches are
    not what they stand for. Says so where it is not the first. Raises UserError where
    there is none.
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
    for how in LADDER:
        far = _difference(model, pairs[how.padded], pad, num_beams, how.cached)
        if not far < TOLERANCE:
            continue
        if how != LADDER[0]:
            print(f"a {kind} model is decoded {_in_words(how)}: it is not exact else")
        return how
    remedy = "take another LLM" + (" or --num_beams 1" if num_beams > 1 else "")
    raise UserError(
        f"a {kind} model does not say in a batch what it says alone, even "
        f"{_in_words(how)} (logits are off by {far:.2g} of their spread): {remedy}"
    )


def _in_words(how: Batching) -> str:
    lengths = "with padding" if how.padded else "in batches of equal length"
    return f"{lengths} and {'with' if how.cached else 'without'} a cache"


def _difference(
    model: Any,
    prompts: Sequence[Sequence[int]],
    pad: int,
    num_beams: int,
    cached: bool,
) -> float:
    """Largest one between logits in a left-padded batch and alone, in their spreads.

    Infinite where the library refuses. The tokens are drawn, so that beams change places.
    """
    import torch
    from transformers import LogitsProcessorList

    device = model.device
    ids, mask = (one.to(device) for one in left_padded(prompts, pad))
    drawn = torch.Generator().manual_seed(1)
    ends = sorted({pad, *_listed(model.generation_config.eos_token_id)})

    def draw(_: Any, scores: Any) -> Any:
        noise = torch.randn(scores.shape, generator=drawn)
        noise[:, ends] = -1e9
        return noise.to(scores.device)

    with torch.inference_mode(), exact(), without_flash(model):
        try:
            made = model.generate(
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
        except ValueError:  # what the library cannot do with this cache
            return float("inf")
        far = []
        for row, prompt in enumerate(prompts):
            answer = made.sequences[row, ids.shape[1] :].tolist()
            rows = [row] * len(answer)
            if num_beams > 1:
                rows = made.beam_indices[row, : len(answer)].tolist()
            steps = zip(made.logits, rows, strict=True)
            together = torch.stack([logits[at] for logits, at in steps]).float()
            text = torch.tensor([[*prompt, *answer[:-1]]], device=device)
            alone = model(text, use_cache=False).logits[0, len(prompt) - 1 :].float()
            far.append(spread_apart(together, alone))
    return max(far)


def left_padded(prompts: Sequence[Sequence[int]], pad: int) -> tuple[Any, Any]:
    """int64 ids and mask of shape (num_prompts, longest)."""
    import torch

    longest = max(map(len, prompts))
    ids = torch.full((len(prompts), longest), pad)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        mask[row, longest - len(prompt) :] = 1
    return ids, mask


def _listed(value: Any) -> list[int]:
    return [value] if isinstance(value, int) else list(value or ())
