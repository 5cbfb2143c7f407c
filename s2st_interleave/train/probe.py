"""The curves of the paper's Figure 3: lengths of blocks, and similarities between them."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import numpy as np
import torch
from transformers import PreTrainedModel

from s2st_interleave.interleave.layout import Layout
from s2st_interleave.llm.backbone import backbone
from s2st_interleave.train.collation import Batch

NUM_PROBED = 32  # dev utterances of Fig. 3, and of a gate's look


def places(
    dump_of: np.ndarray, fits: Callable[[int], bool] = lambda index: True
) -> list[int]:
    """Indices of the dev utterances that are probed: the first of each pair, as many of each.

    `dump_of`, int64 (num_utterances,), rises: which pair's dump each is of. Those that do
    not fit are passed over.
    """
    turn = np.arange(len(dump_of)) - np.searchsorted(dump_of, dump_of)
    order = np.argsort(turn, kind="stable").tolist()
    return sorted(islice(filter(fits, order), NUM_PROBED))


def length_ratios(
    layout: Layout, blocks: Sequence[Mapping[str, slice]]
) -> dict[str, float]:
    """|I_p| / |T| of each side that has both, in tokens over a whole batch (Fig. 3a)."""
    totals = {block.name: 0 for block in layout.blocks}
    for slices in blocks:
        for name, place in slices.items():
            totals[name] += place.stop - place.start
    return {
        f"length_ratio_{side}": totals[f"{side}_speech"] / totals[f"{side}_text"]
        for side in layout.two_fold_sides
    }


def figure_3(layout: Layout, batch: Batch, model: PreTrainedModel) -> dict[str, float]:
    """Both curves at a batch of dev, for metrics.jsonl."""
    blocks = [each.example.blocks for each in batch.examples]
    lengths = length_ratios(layout, blocks)
    ratios = {f"probe_{name}": ratio for name, ratio in lengths.items()}
    ids, mask = batch.input_ids, batch.attention_mask
    return ratios | similarities(layout, ids, mask, blocks, model)


def similarities(
    layout: Layout,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    blocks: Sequence[Mapping[str, slice]],
    model: PreTrainedModel,
) -> dict[str, float]:
    """Cosines of the blocks' mean last-layer hidden states, averaged (Fig. 3b).

    They compare the speech and the text of each side, and the first two texts. Ids and
    mask have the shape (num_examples, longest); `blocks` are the places of each example's
    blocks by name.
    """
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        hidden = backbone(model)(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state.float()
    model.train(was_training)
    means = {
        block.name: torch.stack(
            [
                states[places[block.name]].mean(0)
                for states, places in zip(hidden, blocks, strict=True)
            ]
        )
        for block in layout.blocks
    }
    cosine = torch.nn.functional.cosine_similarity
    return {
        key: cosine(means[a], means[b], dim=-1).mean().item()
        for key, (a, b) in _pairs(layout).items()
    }


def _pairs(layout: Layout) -> dict[str, tuple[str, str]]:
    """Names of the similarities and of the two blocks that each compares."""
    pairs = {
        f"similarity_{side}": (f"{side}_speech", f"{side}_text")
        for side in layout.two_fold_sides
    }
    texts = [block.name for block in layout.blocks if block.kind == "text"]
    if len(texts) > 1:
        pairs["similarity_text"] = (texts[0], texts[1])
    return pairs
