"""What the recipe takes for granted of an LLM, tried on a few tokens before it trains."""

from typing import Any

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.backbone import backbone, logits, router_loss

NUM_SHORT = 6  # tokens of the shorter of two sequences


def few_tokens(vocabulary: Vocabulary) -> Any:
    """int64 (1, 12) of marks, text and units."""
    import torch

    units = [k % vocabulary.num_units for k in (0, 3, 1)]
    text = [k % vocabulary.num_text for k in (0, 1, 2, 3, 40)]
    speech = [vocabulary.offset + k for k in units]
    marks = [vocabulary.bos, vocabulary.sep, vocabulary.mask, vocabulary.sep]
    return torch.tensor([[marks[0], *text, marks[1], *speech, *marks[2:]]])


def check(model: Any, vocabulary: Vocabulary) -> None:
    """UserError, naming the kind of `model`, unless it is what training takes it for.

    Logits and loss are computed by `backbone`; batches are padded on the right; what is
    saved is read back from configuration and weights.
    """
    import torch

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
        own = logits(model, output.last_hidden_state)
        theirs = model(ids, use_cache=False, labels=ids)
        if not _alike(own, theirs.logits.float()):
            raise UserError(
                f"a {kind} model does more than a linear layer and a soft cap after its "
                "last hidden states: it cannot be trained here"
            )
        entropy = torch.nn.functional.cross_entropy(own[0, :-1], ids[0, 1:])
        loss = entropy + router_loss(model, output, mask[:1])
        if not torch.allclose(loss, theirs.loss.float(), rtol=1e-5, atol=1e-5):
            raise UserError(
                f"a {kind} model adds to its loss what is not known here "
                f"({theirs.loss:.5f}, not {loss:.5f}): switch it off in its config.json "
                "('output_router_logits' or the like), or take another LLM"
            )
        padded = backbone(model)(
            input_ids=torch.cat([ids, short]), attention_mask=mask, use_cache=False
        ).last_hidden_state
        together = logits(model, padded)
    if not (
        _alike(together[0], own[0])
        and _alike(together[1, :NUM_SHORT], own[0, :NUM_SHORT])
    ):
        raise UserError(
            f"a {kind} model sees what follows a token, or what a batch is padded with: "
            "it cannot be trained here, take a causal LLM"
        )


def _alike(one: Any, two: Any) -> bool:
    import torch

    return torch.allclose(one, two, rtol=1e-3, atol=1e-3)


def _check_shapes(model: Any) -> None:
    """UserError unless the configuration makes the model that there is, new rows too."""
    import torch

    with torch.device("meta"):
        made = type(model)(model.config).state_dict()
    ours = model.state_dict()
    wrong = [k for k in made.keys() | ours.keys() if _shape(made, k) != _shape(ours, k)]
    if wrong:
        raise UserError(
            f"a {model.config.model_type} model cannot be given rows for units: its "
            f"configuration says otherwise of {min(wrong)}; take another LLM"
        )


def _shape(state: dict[str, Any], name: str) -> tuple[int, ...] | None:
    return tuple(state[name].shape) if name in state else None
