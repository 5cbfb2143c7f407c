"""Which prompts may share a batch: all, where left padding and cache change nothing."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Any

from s2st_interleave.errors import UserError

NUM_STEPS = 4  # generated tokens of a trial: the first without a cache, the others with
# Of the spread of logits. Rounding is far below, a state that padding enters far above.
TOLERANCE = {"fp32": 0.003, "bf16": 0.3}


def batches(
    lengths: Sequence[int], batch_size: int, *, padded: bool
) -> list[list[int]]:
    """Indices of `lengths`, which rise, in order; of one length where not `padded`."""
    indices = list(range(len(lengths)))
    groups = [indices]
    if not padded:
        groups = [list(g) for _, g in groupby(indices, key=lengths.__getitem__)]
    return [
        group[start : start + batch_size]
        for group in groups
        for start in range(0, len(group), batch_size)
    ]


def may_pad(
    model: Any,
    prompts: Sequence[Sequence[int]],
    pad: int,
    *,
    num_beams: int = 1,
    autocast: AbstractContextManager[Any] | None = None,
    bf16: bool = False,
) -> bool:
    """Whether prompts of unequal length may share a batch of `model.generate`.

    Tried with the shortest and the longest of `prompts`: next to each other they have to
    give the logits that each has alone, without a cache, as in training. A recurrent
    state takes padding for text: then only prompts of one length share a batch. Raises
    UserError where even those, or beams, are not what they are alone.
    """
    tolerance = TOLERANCE["bf16" if bf16 else "fp32"]
    shortest, longest = min(prompts, key=len), max(prompts, key=len)
    kind = model.config.model_type

    def fits(pair: Sequence[Sequence[int]], beams: int) -> bool:
        with autocast or nullcontext():
            return _difference(model, pair, pad, beams) < tolerance

    if fits([shortest, longest], num_beams):
        return True
    if fits([longest, [*longest[:1], *reversed(longest[1:])]], num_beams):
        return False
    if num_beams > 1 and fits([longest, longest], 1):
        raise UserError(
            f"a {kind} model does not reorder what it remembers of beams: set "
            "--num_beams 1"
        )
    raise UserError(
        f"a {kind} model's cache does not give what the model gives without it: it "
        "cannot be decoded here, take another LLM"
    )


def _difference(
    model: Any, prompts: Sequence[Sequence[int]], pad: int, num_beams: int
) -> float:
    """Largest one between logits in a left-padded batch, cached, and alone.

    In shares of their standard deviation. The tokens are drawn, so that beams change
    places; what is drawn depends on nothing.
    """
    import torch
    from transformers import LogitsProcessorList

    device = model.device
    ids, mask = left_padded(prompts, pad)
    drawn = torch.Generator().manual_seed(1)

    def draw(_: Any, scores: Any) -> Any:
        noise = torch.randn(scores.shape, generator=drawn).to(scores.device)
        ends = {pad, *_listed(model.generation_config.eos_token_id)}
        return noise.index_fill(1, torch.tensor(sorted(ends), device=device), -1e9)

    with torch.inference_mode():
        made = model.generate(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            max_new_tokens=NUM_STEPS,
            do_sample=False,
            num_beams=num_beams,
            pad_token_id=pad,
            logits_processor=LogitsProcessorList([draw]),
            return_dict_in_generate=True,
            output_logits=True,
        )
        worst = 0.0
        for row, prompt in enumerate(prompts):
            answer = made.sequences[row, ids.shape[1] :].tolist()
            rows = [row] * len(answer)
            if num_beams > 1:
                rows = made.beam_indices[row, : len(answer)].tolist()
            together = torch.stack(
                [made.logits[step][beam] for step, beam in enumerate(rows)]
            ).float()
            text = torch.tensor([[*prompt, *answer[:-1]]], device=device)
            alone = model(text, use_cache=False).logits[0, len(prompt) - 1 :].float()
            far = (together - alone).abs().max() / alone.std()
            worst = max(worst, float(far))
    return worst


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
