"""The models that are served, and their answers as JSON."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2st_interleave.data.audio import SAMPLE_RATE
from s2st_interleave.errors import UserError
from s2st_interleave.pack import speech_file
from s2st_interleave.pack.clips import CHOOSE, Clip

if TYPE_CHECKING:
    from s2st_interleave.pack.said import Said
    from s2st_interleave.pack.translator import Translator


class Upload(io.BytesIO):
    """The bytes of a recording, under the name that messages give it."""

    name = "the recording"


@dataclass(frozen=True, eq=False)
class Model:
    """A packed model under the name that the page shows."""

    name: str
    translator: "Translator"

    @property
    def facts(self) -> dict[str, Any]:
        """Its name, task, the languages that it hears and says, and whether it translates.

        For `GET /health`.
        """
        layout, languages = self.translator.layout, self.translator.languages
        heard = next(b.side for b in layout.given if b.kind == "speech")
        said = [b.side for b in layout.wanted if b.side != heard]
        return {
            "name": self.name,
            "task": str(layout),
            "from": languages[heard],
            "to": languages[said[-1]] if said else None,
            "translates": layout.translates(languages),
        }


def load(names: Sequence[str], **options: Any) -> list[Model]:
    """Load models as `Translator.from_pretrained` does, with the same options for all.

    Raises UserError for a model that does not hear speech, and as `from_pretrained` does.
    """
    from s2st_interleave.pack.translator import Translator

    translators = []
    for name in names:
        print(f"serve: loading {name}", flush=True)
        translator = Translator.from_pretrained(name, **options)
        if all(block.kind != "speech" for block in translator.layout.given):
            raise UserError(
                f"{name}: task '{translator.layout}' hears no speech: there is nothing "
                "to record for it"
            )
        translators.append(translator)
    titles = _titles(names, [each.description.system for each in translators])
    return [Model(*each) for each in zip(titles, translators, strict=True)]


def _titles(names: Sequence[str], systems: Sequence[str]) -> list[str]:
    """The shortest names that tell models apart: systems, folders, or paths of folders."""
    lasts = [Path(name).name for name in names]
    for titles in (systems, lasts, names):
        if len(set(titles)) == len(titles) and all(titles):
            return list(titles)
    return [f"{number}: {name}" for number, name in enumerate(names, 1)]


def reply(
    clip: Clip, said: Sequence[tuple[Model, "Said"]], *, with_source: bool
) -> bytes:
    """The JSON of `POST /translate`: what the models said of a recording.

    `source` is the recording as the models heard it, a WAV of 16 kHz in base64. Remarks
    name no option, as who sends a recording cannot set it.
    """
    source = wav(clip.samples, SAMPLE_RATE) if with_source else None
    content = {
        "seconds": round(clip.seconds, 3),
        "source": source,
        "remarks": [remark.removesuffix(CHOOSE) for remark in clip.remarks],
        "answers": [_answer(model, each) for model, each in said],
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _answer(model: Model, said: "Said") -> dict[str, Any]:
    speech, remarks = None, said.answer_remarks
    if said.samples is not None and said.rate is not None:
        if len(said.samples):
            speech = wav(said.samples, said.rate)
        else:
            remarks.append("the model ended its answer before it spoke")
    content = said.to_json()
    del content["seconds"]  # of the recording: the same for all models
    return {"model": model.name} | content | {"speech": speech, "remarks": remarks}


def wav(samples: Any, rate: int) -> str:
    """Float32 samples (num_samples,) as a WAV of 16 bits, in base64."""
    return base64.b64encode(speech_file.encoded(samples, rate)).decode()
