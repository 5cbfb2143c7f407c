"""The model card of a packed folder: README.md, as the Hugging Face hub shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from s2st_interleave.data.languages import LANGUAGES, language
from s2st_interleave.hub import split_revision
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.pack import notice
from s2st_interleave.pack.folder import Description
from s2st_interleave.progress import duration
from s2st_interleave.score.columns import digits, heading, interval, lower_is_better
from s2st_interleave.score.records import MetricScore, SystemScore

# The hub's names of metrics; others keep ours.
HUB_METRICS = {"asr_bleu": "bleu", "text_bleu": "bleu"}
EXTRAS = {"world": "vocoder", "hifigan": "hifigan"}  # by the back-end of the vocoder
BODY = """
# {title}

{what}

## Use

```sh
pip install "{install} @ file:///path/to/its.whl"{nodeps}
s2st-translate --model {here} in.wav{out}
```

```python
from s2st_interleave import Translator

t = Translator.from_pretrained("{here}")
said = t("in.wav")
print({texts})
{save}
```

DIR is this folder, or its name on the hub. Any rate, channels and format are read; a recording
of less than 0.3 s, of more than 30 s, or without sound is refused. `sha256sum -c SHA256SUMS`
checks the other files.

## Scores

{scores}

## Training

{training}

## What it is not

It {does} single utterances of {source}, of the length and the kind that it was trained
on, one after the other: no long recordings, no streaming, no other languages. It may leave
out words, add some, or say what nobody said, fluently: do not rely on it where an error does
harm. {voice}What its training data lack (accents, noise, children, topics) it
has not learned. Scores compare systems under one recogniser, and are no measure of
usefulness.

## Licences

{licences}
"""
VOICE = """\
It speaks in the voice that its vocoder has learned, and keeps neither the speaker's
voice nor the emphasis. """


@dataclass(frozen=True)
class Training:
    """Facts of the LLM's training; `seconds` by the clock, `num_pairs` of utterances."""

    num_pairs: int
    num_steps: int
    num_tokens: int
    seconds: float
    seed: int
    method: str  # "by ..." or "without ...", from the options


def render(
    description: Description,
    training: Training,
    score: SystemScore | None,
    corpus: str,
    backend: str,
    note: str = "",
) -> str:
    """The text of README.md: metadata in YAML, then Markdown.

    `corpus` names the data, of which `note` says more; `backend` is the vocoder's, "" for
    none.
    """
    layout = Layout.parse(description.layout)
    title = f"{_pair(layout, description.sides)}: {description.system}"
    translates = layout.translates(description.sides)
    data = ModelCardData(
        language=[code.partition("-")[0] for code in _languages(description, layout)],
        library_name="s2st_interleave",
        base_model=_bases(description) or None,
        pipeline_tag="audio-to-audio"
        if layout.speaks
        else "automatic-speech-recognition",
        tags=_tags(layout, translates=translates),
        model_name=title,
        eval_results=_results(score, _kind(layout, translates=translates), corpus)
        if score
        else None,
        **_license(description),
    )
    body = BODY.format(
        title=title,
        what=_what(description, training, layout),
        install=f"s2st_interleave[{EXTRAS[backend]}]" if backend else "s2st_interleave",
        nodeps="\npip install --no-deps espnet" if backend == "hifigan" else "",
        here="DIR",
        out=" --out out.wav" if layout.speaks else "",
        texts="said.transcript, said.translation"
        if translates
        else "said.answer.texts",
        save='said.save("out.wav")'
        if layout.speaks
        else "print(said.times.transcript)",
        scores=_scores(score, corpus),
        training=_training(training, description, note),
        source=_name(description.sides[layout.given[0].side]),
        does=_does(layout, translates=translates),
        voice=VOICE if layout.speaks else "",
        licences=_licences(description),
    )
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n{body}"))


def _pair(layout: Layout, sides: Mapping[str, str]) -> str:
    source, target = layout.given[0].side, layout.wanted[-1].side
    kinds = f"{layout.given[0].kind} to {layout.wanted[-1].kind}"
    return f"{_name(sides[source])} to {_name(sides[target])}, {kinds}"


def _name(code: str) -> str:
    return language(code).name if code.partition("-")[0] in LANGUAGES else code


def _languages(description: Description, layout: Layout) -> list[str]:
    return list(dict.fromkeys(description.sides[side] for side in layout.sides))


def _bases(description: Description) -> list[str]:
    """Names of the hub, without revisions; a folder's name says nothing to others."""
    bases = (description.base_llm, description.base_encoder)
    return [split_revision(name)[0] for name in bases if "/" in name]


def _tags(layout: Layout, *, translates: bool) -> list[str]:
    kinds = ["speech-to-speech-translation"] if layout.speaks and translates else []
    kinds += ["speech-translation"] if translates else []
    return [*kinds, "speech-units", "interleaved-speech-text"]


def _does(layout: Layout, *, translates: bool) -> str:
    if translates:
        return "translates"
    only_writes_down = len(layout.transcripts) == len(layout.wanted)
    return "transcribes" if only_writes_down else "answers"


def _kind(layout: Layout, *, translates: bool) -> str:
    kind = f"speech to {'speech' if layout.speaks else 'text'}"
    is_spoken_translation = layout.speaks and translates
    return "speech-to-speech translation" if is_spoken_translation else kind


def _license(description: Description) -> dict[str, Any]:
    """The hub's keys; `other` sends the reader to NOTICE, which names all terms."""
    if "llama-3.2" in description.base_llm.lower():
        return {"license": "llama3.2"}
    return {
        "license": "other",
        "license_name": "terms-of-its-parts",
        "license_link": "NOTICE",
    }


def method(options: Mapping[str, Any]) -> str:
    """What a training's options make of the paper's method (Sec. 3.2), in words."""
    share, sides = options["text_ratio"], options.get("sides", "both")
    if not share or sides == "none" or options.get("speech_only") == 1:
        return "without interleaving, on units alone (the baseline of Futami et al., 2025),"
    kind = "scheduled"
    if options.get("schedule") == "constant":
        kind = f"unscheduled (a share of {share:g} throughout)"
    where = "" if sides == "both" else f", on the {sides} side alone,"
    masked = ", with masks in place of text," if options.get("fill") == "mask" else ""
    return (
        f"by {kind} interleaved speech-text training{where}{masked} (Futami et al., "
        "Interspeech 2025)"
    )


def _what(description: Description, training: Training, layout: Layout) -> str:
    parts = [f"{_name(description.sides[b.side])} {b.kind}" for b in layout.wanted]
    answer = ", ".join(parts)
    return (
        f"An LLM that hears {_name(description.sides[layout.given[0].side])} as discrete "
        f"speech units and answers with {answer} (`{layout}`), trained "
        f"{training.method} with s2st_interleave {description.git}: system "
        f"`{description.system}`, {description.checkpoint}. The folder holds the speech "
        f"encoder, the codebook, the LLM{' and the vocoder' if layout.speaks else ''}."
    )


def _results(score: SystemScore, kind: str, corpus: str) -> list[EvalResult]:
    return [
        EvalResult(
            task_type=kind.replace(" ", "-"),
            task_name=kind,
            dataset_type=corpus,
            dataset_name=corpus,
            dataset_split=score.split,
            metric_type=_hub_metric(key),
            metric_name=_title(key, score, each),
            metric_value=round(float(each.value or 0), 4),
            metric_args={"ci95": [round(x, 4) for x in each.ci95]}
            if each.ci95
            else None,
        )
        for key, each in _measured(score).items()
    ]


def _hub_metric(key: str) -> str:
    name = key.partition(":")[0]
    return HUB_METRICS.get(name, name)


def _measured(score: SystemScore) -> dict[str, MetricScore]:
    return {
        key: each
        for key, each in score.scores.items()
        if each.value is not None and isfinite(each.value)
    }


def _title(key: str, score: SystemScore, each: MetricScore) -> str:
    title = heading(key, [score])
    return (
        f"{title}, 95% interval {interval(each.ci95, digits(key))}"
        if each.ci95
        else title
    )


def _scores(score: SystemScore | None, corpus: str) -> str:
    if score is None:
        return "It has not been scored."
    rows = [
        f"| {heading(key, [score])}{' (lower is better)' if lower_is_better(key) else ''} "
        f"| {each.value:.{digits(key)}f} "
        f"| {interval(each.ci95, digits(key)) if each.ci95 else ''} "
        f"| {each.num_utterances} |"
        for key, each in _measured(score).items()
    ]
    table = [
        "| metric | value | 95% interval | utterances |",
        "|---|---|---|---|",
        *rows,
    ]
    by = ""
    if score.asr:
        by = f" Speech was heard by {score.asr.backend} {score.asr.version}."
    missing = f" {score.num_missing} answers are missing, and count as empty."
    return (
        "\n".join(table)
        + f"\n\nOn {score.num_utterances} utterances of {corpus}, {score.split}, seed "
        f"{score.seed}; intervals by bootstrap over utterances.{by}"
        + (missing if score.num_missing else "")
    )


def _training(training: Training, description: Description, note: str) -> str:
    facts = {
        "text LLM": description.base_llm,
        "speech encoder": description.base_encoder,
        "pairs of utterances": f"{training.num_pairs:,}",
        "steps": f"{training.num_steps:,}",
        "tokens": f"{training.num_tokens:,}",
        "time": duration(training.seconds),
        "seed": str(training.seed),
    }
    lines = [f"- {key}: {value}" for key, value in facts.items()]
    about = [note, ""] if note else []
    return "\n".join([*about, *lines, "", "All options are in `config.yaml`."])


def _licences(description: Description) -> str:
    text = (
        "The code is Apache-2.0 (`LICENSE`). The weights keep the terms of the models and "
        "corpora that they were trained from: `NOTICE` names them, `THIRD_PARTY.md` says "
        "what each asks for."
    )
    if notice.is_llama(description):
        text += "\n\n**Built with Llama**"
    return text
