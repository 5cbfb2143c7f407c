"""What the paper's Figure 3 shows of a model in training: lengths and similarities."""

from collections.abc import Sequence
from typing import Any

from s2st_interleave.interleave.sequence import Blocks
from s2st_interleave.train.backbone import backbone


def length_ratios(blocks: Sequence[Blocks]) -> dict[str, float]:
    """|I_p| / |T| of either side, in tokens over a whole batch (Fig. 3a)."""
    totals = dict.fromkeys(Blocks._fields, 0)
    for one in blocks:
        for name, block in zip(Blocks._fields, one, strict=True):
            totals[name] += block.stop - block.start
    return {
        f"length_ratio_{side}": totals[f"{side}_speech"] / totals[f"{side}_text"]
        for side in ("src", "tgt")
    }


def similarities(batch: dict[str, Any], model: Any) -> dict[str, float]:
    """Cosines of the blocks' mean last-layer hidden states, averaged (Fig. 3b).

    `batch` is one of InterleavedTask, with ids of shape (num_examples, longest).
    """
    import torch

    was_training = model.training
    model.eval()
    with torch.inference_mode():
        hidden = backbone(model)(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state.float()
    model.train(was_training)
    means = {
        name: torch.stack(
            [
                states[getattr(one.example.blocks, name)].mean(0)
                for states, one in zip(hidden, batch["drawn"], strict=True)
            ]
        )
        for name in Blocks._fields
    }
    pairs = {
        "similarity_src": ("src_speech", "src_text"),
        "similarity_text": ("src_text", "tgt_text"),
        "similarity_tgt": ("tgt_text", "tgt_speech"),
    }
    cosine = torch.nn.functional.cosine_similarity
    return {
        key: cosine(means[a], means[b], dim=-1).mean().item()
        for key, (a, b) in pairs.items()
    }
