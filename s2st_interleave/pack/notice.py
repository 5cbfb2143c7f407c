"""Renders NOTICE: the models and data from which a packed folder was made, their terms."""

from pathlib import Path

from s2st_interleave.pack.folder import Description

ROOT = Path(__file__).resolve().parents[2]
LICENCES = (ROOT / "LICENSE", ROOT / "THIRD_PARTY.md")
LLAMA = """\
Built with Llama. {base} is licensed under the Llama 3.2 Community License, Copyright
(c) Meta Platforms, Inc. All Rights Reserved. Who passes this folder on ships that
license with it, gives it a name that starts with "Llama", and follows its acceptable
use policy.
"""


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
    return text + ("\n" + LLAMA.format(base=llm) if "llama" in llm.lower() else "")
