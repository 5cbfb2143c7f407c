"""How much of a training its text ratio takes to reach 0, in words for its log.

Decoding has units alone, so that a training which ends before its ramp does leaves the
model without the only view it is used with (paper Sec. 3.2).
"""

from bisect import bisect_left

from s2st_interleave.interleave.interleaving import Interleaving

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
    third = _over_a_third(interleaving, max_steps)
    if ramp < max_steps:
        when = " at the latest" if gated else ""
        said = (
            f"text_ratio reaches 0 after {ramp} of {max_steps} steps "
            f"({ramp / max_steps:.0%}){when}"
        )
        if gated or ramp <= max_steps / 2 or not third:
            return said
        # In miniature 30 % of the training was ahead of 60 % in the four pairs of 6,900
        # utterances and more, and not in the one of 600.
        return (
            f"{said}; in miniature large pairs gained with a third of them ({third}), see "
            "docs/schedules.md"
        )
    last = f"text_ratio is still {interleaving.ratio(max_steps - 1):g} at the last step"
    if gated:
        last += ", unless its gate opens before"
    if interleaving.speech_only:
        last += f", beside {interleaving.speech_only:.0%} of utterances without text"
    if interleaving.speech_only >= ENOUGH_UNITS:
        return last
    if interleaving.schedule.shape == "constant":
        remedy = "that is 'without scheduling', an ablation"
    else:
        remedy = "take more --max_steps"
        if third:
            remedy += f", or {third}, for a ramp over a third of them"
    return f"warning: {last}, and decoding has units alone: {remedy}"


def _over_a_third(interleaving: Interleaving, max_steps: int) -> str:
    """The options with which the ratio of each side is 0 after a third of the steps.

    A side that falls sooner stays as it is. "" where there are none, as in a training of a
    few steps and for a ratio that never falls.
    """
    own, schedule = dict(interleaving.side_every), interleaving.schedule
    if schedule.shape == "constant":
        return ""
    every = max_steps // (3 * schedule.num_drops)
    if not every:
        return ""
    options = []
    if any(steps > every for steps in own.values()):
        sides = " ".join(f"{side}={min(own[side], every)}" for side in own)
        options.append(f"--side_every {sides}")
    if schedule.every > every and set(interleaving.interleaved) - set(own):
        options.append(f"--text_ratio_every {every}")
    return " and ".join(options)
