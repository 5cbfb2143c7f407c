"""Terms of a packed folder: licence files, and NOTICE on the models that it was made from."""

from importlib import metadata
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.pack.folder import Description

NAMES = ("LICENSE", "THIRD_PARTY.md")
PLACE = Path(__file__).resolve().parents[2]  # a checkout, or where pip has installed
LLAMA = """\
Built with Llama. {base} is licensed under the Llama 3.2 Community License, Copyright
(c) Meta Platforms, Inc. All Rights Reserved. Who passes this folder on ships that
license with it, gives it a name that starts with "Llama", and follows its acceptable
use policy.
"""


def licences() -> list[Path]:
    """LICENSE and THIRD_PARTY.md: a checkout has them, or an installed wheel's metadata.

    Raises UserError where they are missing.
    """
    if all((PLACE / name).is_file() for name in ("setup.py", *NAMES)):
        return [PLACE / name for name in NAMES]
    files = [
        Path(str(file.locate()))
        for installed in metadata.distributions(
            name="s2st_interleave", path=[str(PLACE)]
        )
        for file in installed.files or ()
    ]
    kept = {path.name: path for path in files if path.parent.name == "licenses"}
    if missing := [name for name in NAMES if name not in kept]:
        raise UserError(
            f"{missing[0]} of s2st_interleave is missing from {PLACE}, and a packed "
            "model carries it: install the package again"
        )
    return [kept[name] for name in NAMES]


def is_llama(description: Description) -> bool:
    """Whether the text LLM's name says that Llama's terms apply."""
    return "llama" in description.base_llm.lower()


def render(description: Description) -> str:
    """Text of NOTICE; the terms of each base model are in THIRD_PARTY.md."""
    llm = description.base_llm
    spoken = ", ".join(f"{k}: {code}" for k, code in description.sides.items())
    text = (
        f"Task {description.layout} ({spoken}): system {description.system}, "
        f"{description.checkpoint}.\n"
        f"Made with s2st_interleave {description.git} (Apache-2.0, see LICENSE).\n\n"
        "The weights were trained from these models and keep their terms, which are in "
        "THIRD_PARTY.md:\n"
        f"  text LLM        {llm}\n"
        f"  speech encoder  {description.base_encoder}\n\n"
        "What was changed: the encoder was fine-tuned with CTC, its features were "
        "clustered into units,\nthe LLM got rows for units and was fine-tuned on "
        "interleaved units and text, the vocoder was\ntrained on recordings of the "
        "target voice. Their corpora ask to be named: see THIRD_PARTY.md.\n"
    )
    return text + ("\n" + LLAMA.format(base=llm) if is_llama(description) else "")
