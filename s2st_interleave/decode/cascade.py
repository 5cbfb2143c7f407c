"""The text topline: the text LLM, untrained on speech, translates reference transcripts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from s2st_interleave.decode.padding import batching
from s2st_interleave.errors import UserError
from s2st_interleave.llm.model import load_text_llm
from s2st_interleave.llm.positions import max_positions
from s2st_interleave.llm.unit_rows import weight_of


def translate_texts(
    texts: Mapping[str, str],
    llm: Path,
    prompt: str,
    *,
    device: torch.device | str = "cpu",
    max_tokens: int = 100,
    batch_size: int = 32,
    progress: Callable[[Sequence[list[str]]], Iterable[list[str]]] = iter,
) -> dict[str, str]:
    """Translate texts by greedy continuation of `prompt`, up to its line's end; by id.

    `prompt` contains {text}; a translation has `max_tokens` tokens at most. Raises
    UserError for a text that leaves the LLM no position for an answer.
    """
    if not texts:
        return {}
    model, tokenizer = load_text_llm(llm)
    model.to(device)  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
    model.eval()
    tokenizer.padding_side = "left"
    num_rows = len(weight_of(model.get_input_embeddings()))
    if tokenizer.pad_token is None or tokenizer.pad_token_id >= num_rows:
        # Nobody looks at it, so that any token serves.
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    lines = {name: prompt.replace("{text}", text) for name, text in texts.items()}
    ids = {name: tokenizer(line)["input_ids"] for name, line in lines.items()}
    _check_room(ids, max_positions(model.config))
    rules = batching(model, list(ids.values()), tokenizer.pad_token_id)
    # Sorted by characters, so that batches are those of earlier versions, but by tokens
    # where only equal lengths may share a batch.
    size = texts if rules.padded else ids
    order = sorted(texts, key=lambda name: (len(size[name]), name))
    lengths, most = [len(ids[name]) for name in order], max_positions(model.config)
    batches = rules.cut(lengths, batch_size, [max_tokens] * len(order), most)
    translations: dict[str, str] = {}
    for names in progress([[order[index] for index in batch] for batch in batches]):
        prompts = [lines[name] for name in names]
        answers = _continue(model, tokenizer, prompts, max_tokens, rules.cached)
        translations |= zip(names, answers, strict=True)
    return translations


def _check_room(ids: Mapping[str, Sequence[int]], most: int | None) -> None:
    longest = max(ids, key=lambda name: len(ids[name]))
    if most is not None and len(ids[longest]) >= most:
        raise UserError(
            f"utterance {longest}: {len(ids[longest])} tokens with the prompt leave no "
            f"room for an answer: the LLM has positions for {most}, take another one"
        )


def _continue(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    lines: list[str],
    max_tokens: int,
    cached: bool,
) -> list[str]:
    """Return the rest of each line."""
    batch = tokenizer(
        lines, return_tensors="pt", padding=True, return_token_type_ids=False
    )
    length, most = batch["input_ids"].shape[1], max_positions(model.config)
    with torch.inference_mode():
        output = model.generate(  # pyrefly: ignore[not-callable]: of a mixin
            **batch.to(model.device),
            max_new_tokens=max_tokens
            if most is None
            else min(max_tokens, most - length),
            do_sample=False,
            **({} if cached else {"use_cache": False}),
            pad_token_id=tokenizer.pad_token_id,
            stop_strings=["\n"],
            tokenizer=tokenizer,
        )
    texts = [
        str(tokenizer.decode(ids, skip_special_tokens=True))
        for ids in output[:, length:]
    ]
    return [text.strip().split("\n")[0].strip() for text in texts]
