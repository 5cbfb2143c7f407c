"""How much of a training its text ratio takes to reach 0, in words for its log.

Decoding has units alone, so that a training which ends before its ramp does leaves the
model without the only view it is used with (paper Sec. 3.2).
"""

from bisect import bisect_left

from s2st_interleave.interleave.interleaving import Interleaving

# In miniature 30 % of the training was ahead of 60 % in four pairs, and not in the smallest.
SHORTER = "about a third of them was better for most pairs, see docs/schedules.md"

# From this share of utterances without text on, a ramp needs no end (`fixed_mix`).
ENOUGH_UNITS = 0.5


def steps_with_text(interleaving: Interleaving, max_steps: int) -> int:
    """How many of `max_steps` optimizer steps show text on some side, by the clock."""
    return bisect_left(
        range(max_steps), True, key=lambda step: interleaving.ratio(step) == 0
    )


def describe(interleaving: Interleaving, max_steps: int, gate_every: int = 0) -> str:
    """Say when the text ends and, where it does not, what to change; "" for a baseline.

    So many steps lie between two looks of a gate, which may let the ratio fall sooner than
    the schedule; 0: there is no gate.
    """
    ramp = steps_with_text(interleaving, max_steps)
    if ramp == 0:
        return ""
    if gate_every <= ramp:
        return _extent(interleaving, max_steps, ramp, gated=gate_every > 0)
    said = _extent(interleaving, max_steps, ramp, gated=False)
    return f"{said}; the gate never looks, as it would after {gate_every} steps first"


def _extent(
    interleaving: Interleaving, max_steps: int, ramp: int, *, gated: bool
) -> str:
    if ramp < max_steps:
        when = " at the latest" if gated else ""
        said = (
            f"text_ratio reaches 0 after {ramp} of {max_steps} steps "
            f"({ramp / max_steps:.0%}){when}"
        )
        return said if gated or ramp <= max_steps / 2 else f"{said}; {SHORTER}"
    last = f"text_ratio is still {interleaving.ratio(max_steps - 1):g} at the last step"
    if gated:
        last += ", unless its gate opens before"
    if interleaving.speech_only:
        last += f", beside {interleaving.speech_only:.0%} of utterances without text"
    if interleaving.speech_only >= ENOUGH_UNITS:
        return last
    schedule = interleaving.schedule
    if schedule.shape == "constant":
        remedy = "that is 'without scheduling', an ablation"
    else:
        remedy = "take more --max_steps"
        shorter = _shorter(interleaving, max_steps // (3 * schedule.num_drops))
        if shorter:
            remedy += f", or {shorter}, for a ramp over a third of them"
    return f"warning: {last}, and decoding has units alone: {remedy}"


def _shorter(interleaving: Interleaving, every: int) -> str:
    """The options with which each side's ratio falls every so many steps, or sooner.

    "" where these are none, as in a training of a few steps.
    """
    if not every:
        return ""
    own, schedule = dict(interleaving.side_every), interleaving.schedule
    options = []
    if any(steps > every for steps in own.values()):
        sides = " ".join(f"{side}={min(own[side], every)}" for side in own)
        options.append(f'--side_every "{sides}"')
    if schedule.every > every and set(interleaving.interleaved) - set(own):
        options.append(f"--text_ratio_every {every}")
    return " and ".join(options)
