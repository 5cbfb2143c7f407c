"""Checks on noise that a speech encoder behaves as the recipe needs it to."""

import numpy as np
import torch
from transformers import PreTrainedModel

from s2st_interleave import keyed, parallel
from s2st_interleave.data.audio import SAMPLE_RATE
from s2st_interleave.encoder.frontend import Frontend, collate
from s2st_interleave.errors import UserError
from s2st_interleave.precision import spread_apart

SECONDS = (0.3, 0.5, 1.03)  # the last one is no whole number of frames
TOLERANCE = 0.01  # differences of logits, in their standard deviations


def noise(seconds: float) -> np.ndarray:
    """float32 (num_samples,) of noise at 16 kHz, always the same."""
    samples = keyed.generator("noise").standard_normal(round(SAMPLE_RATE * seconds))
    return (0.1 * samples).astype(np.float32)


def logits_of_noise(
    model: PreTrainedModel, front: Frontend, seconds: float
) -> torch.Tensor:
    """float32 logits (num_frames, num_pieces) of noise, in evaluation mode, on the CPU."""
    inputs = collate(front, [front.features(noise(seconds))])
    with torch.no_grad():
        output = model.eval()(**{k: v.to(model.device) for k, v in inputs.items()})
    return output.logits[0].float().cpu()


def check(model: PreTrainedModel, front: Frontend) -> None:
    """Raise UserError unless each layer and the output have the frames that `front` counts.

    Prints a note where the model hears padding in spite of its mask: convolutions of some
    kinds (wav2vec2-conformer, data2vec) see past it.
    """
    kind = f"a {model.config.model_type} encoder"
    features = [front.features(noise(seconds)) for seconds in SECONDS]
    num_frames = [front.num_frames(each) for each in features]
    was_training = model.training
    alone = [logits_of_noise(model, front, seconds) for seconds in SECONDS]
    inputs = collate(front, features[-1:])
    with torch.no_grad():
        layers = model.base_model(**inputs, output_hidden_states=True).hidden_states
    far = padding_heard(model, front) if front.masked else 0.0
    model.train(was_training)

    if [len(logits) for logits in alone] != num_frames:
        raise UserError(
            f"{kind} gives {len(alone[-1])} frames where its convolutions make "
            f"{num_frames[-1]}: units would not lie where words do; take another encoder"
        )
    if {layer.shape[1] for layer in layers} != {num_frames[-1]}:
        raise UserError(
            f"the layers of {kind} have not the frames of its output, so that they give "
            "no units: take another encoder"
        )
    if not far < TOLERANCE:
        parallel.say(
            f"note: {kind} hears another thing in a padded batch than alone (logits are "
            f"off by up to {far:.2g} of their spread), although it has a mask; it is "
            "trained so, as it was pretrained, and makes units of one utterance at a time"
        )


def padding_heard(model: PreTrainedModel, front: Frontend) -> float:
    """How far logits of a padded batch are off, in standard deviations of those alone."""
    features = [front.features(noise(seconds)) for seconds in SECONDS]
    inputs = collate(front, features)
    with torch.no_grad():
        together = model.eval()(**{k: v.to(model.device) for k, v in inputs.items()})
    return max(
        spread_apart(padded[: len(alone)].float().cpu(), alone)
        for padded, seconds in zip(together.logits, SECONDS, strict=True)
        for alone in [logits_of_noise(model, front, seconds)]
    )
