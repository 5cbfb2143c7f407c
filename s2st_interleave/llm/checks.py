"""Checks on a few tokens that an LLM behaves as training needs it to."""

import torch
from transformers import PreTrainedModel

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.backbone import backbone, logits, router_loss

NUM_SHORT = 6  # tokens of the shorter of two sequences


def few_tokens(vocabulary: Vocabulary) -> torch.Tensor:
    """int64 (1, 12) of marks, text and units."""
    units = [k % vocabulary.num_units for k in (0, 3, 1)]
    text = [k % vocabulary.num_text for k in (0, 1, 2, 3, 40)]
    speech = [vocabulary.offset + k for k in units]
    marks = [vocabulary.bos, vocabulary.sep, vocabulary.mask, vocabulary.sep]
    return torch.tensor([[marks[0], *text, marks[1], *speech, *marks[2:]]])


def check(model: PreTrainedModel, vocabulary: Vocabulary) -> None:
    """Raise UserError unless the model is fit for training.

    Training computes logits and loss from `backbone`, pads batches on the right, and reads
    a saved model back from its configuration and weights.
    """
    _check_shapes(model)
    kind = model.config.model_type
    ids = few_tokens(vocabulary)
    short = torch.full_like(ids, vocabulary.pad)
    short[:, :NUM_SHORT] = ids[:, :NUM_SHORT]
    mask = torch.cat([torch.ones_like(ids), (short != vocabulary.pad).long()])
    with torch.inference_mode():
        output = backbone(model)(
            input_ids=ids, attention_mask=mask[:1], use_cache=False
        )
        ours = logits(model, output.last_hidden_state)
        theirs = model(ids, use_cache=False, labels=ids)
        if not _are_close(ours, theirs.logits.float()):
            raise UserError(
                f"a {kind} model does more than a linear layer and a soft cap after its "
                "last hidden states: it cannot be trained here"
            )
        entropy = torch.nn.functional.cross_entropy(ours[0, :-1], ids[0, 1:])
        loss = entropy + router_loss(model, output, mask[:1])
        if not torch.allclose(loss, theirs.loss.float(), rtol=1e-5, atol=1e-5):
            raise UserError(
                f"a {kind} model adds a term to its loss that is not known here "
                f"({theirs.loss:.5f}, not {loss:.5f}): switch it off in its config.json "
                "('output_router_logits' or the like), or take another LLM"
            )
        padded = backbone(model)(
            input_ids=torch.cat([ids, short]), attention_mask=mask, use_cache=False
        ).last_hidden_state
        together = logits(model, padded)
    if not (
        _are_close(together[0], ours[0])
        and _are_close(together[1, :NUM_SHORT], ours[0, :NUM_SHORT])
    ):
        raise UserError(
            f"a {kind} model sees tokens that follow, or the padding of a batch: it "
            "cannot be trained here, take a causal LLM"
        )


def _are_close(first: torch.Tensor, second: torch.Tensor) -> bool:
    return torch.allclose(first, second, rtol=1e-3, atol=1e-3)


def _check_shapes(model: PreTrainedModel) -> None:
    """Raise UserError unless the configuration makes weights of these shapes, new rows too."""
    with torch.device("meta"):
        rebuilt = type(model)(model.config).state_dict()
    state = model.state_dict()
    names = rebuilt.keys() | state.keys()
    wrong = [name for name in names if _shape(rebuilt, name) != _shape(state, name)]
    if wrong:
        raise UserError(
            f"a {model.config.model_type} model cannot be given rows for units: its "
            f"configuration gives {min(wrong)} another shape; take another LLM"
        )


def _shape(state: dict[str, torch.Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(state[name].shape) if name in state else None
