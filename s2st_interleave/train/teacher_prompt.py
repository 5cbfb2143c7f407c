"""What a teacher reads of an utterance: "{src}: {src_text}\\n{tgt}: {tgt_text}", filled in."""

import re
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave.config import nearest
from s2st_interleave.data import sides
from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.utterance import Utterance


def taught_block(prompt: str) -> str:
    """The name of the text with which a prompt ends, empty where it ends otherwise.

    >>> taught_block("{src}: {src_text} {tgt}: {tgt_text}"), taught_block("{tgt_text}.")
    ('tgt_text', '')
    """
    end = re.search(r"\{(\w+_text)\}\Z", prompt)  # `$` would pass over a line feed
    return end[1] if end else ""


def filled(prompt: str, utterance: Utterance) -> str:
    """A prompt with the texts of an utterance in it."""
    return re.sub(r"\{(\w+)_text\}", lambda m: utterance.sides[m[1]].text, prompt)


def check(prompt: str, layouts: Sequence[Layout]) -> None:
    """Raise UserError for a place of no side, or an end that is no text that is learned."""
    own = dict.fromkeys(side for each in layouts for side in each.sides)
    known = [*own, *(f"{side}_text" for side in own)]
    wanted = [b.name for each in layouts for b in each.wanted if b.kind == "text"]
    unknown = [name for name in re.findall(r"\{(\w+)\}", prompt) if name not in known]
    if unknown:
        there = nearest(unknown[0], known) or f"; there are: {' '.join(known)}"
        raise UserError(
            f"option 'teacher_prompt' is {prompt!r}: there is no {{{unknown[0]}}}{there}"
        )
    if taught_block(prompt) not in wanted:
        raise UserError(
            f"option 'teacher_prompt' is {prompt!r}: it wants to end in a text that is "
            f"learned: {' '.join(wanted) or 'there is none'}"
        )


def with_languages(prompt: str, dump_dirs: Sequence[Path]) -> str:
    """A prompt with the name of a side's language in place of {src} and the like.

    Raises UserError where the dumps do not agree on it.
    """
    if not re.search(r"\{\w+(?<!_text)\}", prompt):
        return prompt  # dumps of an earlier version do not know their languages
    spoken = [sides.read(folder) for folder in dump_dirs]
    for side in spoken[0]:
        codes = sorted({languages[side] for languages in spoken})
        if f"{{{side}}}" in prompt and len(codes) > 1:
            raise UserError(
                f"option 'teacher_prompt' has {{{side}}}, which is {' and '.join(codes)} in "
                "--train_dir: write it without the name of that language"
            )
        prompt = prompt.replace(f"{{{side}}}", language(codes[0]).name)
    return prompt
