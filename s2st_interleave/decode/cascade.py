"""The text topline: the text LLM, untrained on speech, translates reference transcripts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from s2st_interleave.decode.padding import batching, left_padded
from s2st_interleave.errors import UserError
from s2st_interleave.llm.model import load_text_llm
from s2st_interleave.llm.positions import max_positions
from s2st_interleave.llm.unit_rows import weight_of
from s2st_interleave.precision import use_bf16


def translate_texts(
    texts: Mapping[str, str],
    llm: Path,
    prompt: str,
    expected: Iterable[str] = (),
    *,
    device: torch.device | str = "cpu",
    max_tokens: int = 100,
    batch_size: int = 0,
    progress: Callable[[Sequence[list[str]]], Iterable[list[str]]] = iter,
) -> dict[str, str]:
    """Translate texts by greedy continuation of `prompt`, up to its line's end; by id.

    `prompt` contains {text}. A translation has `max_tokens` tokens at most, or twice those
    of the longest text that is `expected`; what ends at this limit is told of. Raises
    UserError for a text that leaves the LLM no position for an answer. `batch_size` 0: 32
    texts at once, on a GPU 256.
    """
    if not texts:
        return {}
    model, tokenizer = load_text_llm(llm)
    device = torch.device(device)
    on_gpu = device.type == "cuda"
    dtype = torch.bfloat16 if use_bf16("auto", device) else torch.float32  # as stage 7
    model.to(device, dtype)  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
    model.eval()
    tokenizer.padding_side = "left"
    num_rows = len(weight_of(model.get_input_embeddings()))
    if tokenizer.pad_token is None or tokenizer.pad_token_id >= num_rows:
        # Nobody looks at it, so that any token serves.
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    lines = {name: prompt.replace("{text}", text) for name, text in texts.items()}
    ids = {name: _open_ids(tokenizer, line) for name, line in lines.items()}
    longest = max((len(_open_ids(tokenizer, text)) for text in expected), default=0)
    max_tokens = max(max_tokens, 2 * longest)
    _check_room(ids, max_positions(model.config))
    rules = batching(model, list(ids.values()), tokenizer.pad_token_id)
    # Sorted by characters, so that batches are those of earlier versions, but by tokens
    # where only equal lengths may share a batch.
    size = texts if rules.padded else ids
    order = sorted(texts, key=lambda name: (len(size[name]), name))
    lengths, most = [len(ids[name]) for name in order], max_positions(model.config)
    at_once = batch_size or (256 if on_gpu else 32)
    batches = rules.cut(lengths, at_once, [max_tokens] * len(order), most)
    translations: dict[str, str] = {}
    ended: dict[str, bool] = {}
    for names in progress([[order[index] for index in batch] for batch in batches]):
        prompts = [ids[name] for name in names]
        rest = _continue(model, tokenizer, prompts, max_tokens, rules.cached)
        for name, answer in zip(names, rest, strict=True):
            translations[name], ended[name] = _first_line(tokenizer, answer)
    if cut := sorted(name for name, whole in ended.items() if not whole):
        print(
            f"{len(cut)} of {len(texts)} translations of the text LLM are cut at "
            f"{max_tokens} tokens or at its last position, first {cut[0]}",
            flush=True,
        )
    return translations


def _open_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of a text that is to go on: without the end that some tokenizers add."""
    ids = list(tokenizer(text)["input_ids"])
    while len(ids) > 1 and ids[-1] == tokenizer.eos_token_id:
        ids.pop()
    return ids


def _first_line(
    tokenizer: PreTrainedTokenizerBase, ids: torch.Tensor
) -> tuple[str, bool]:
    """The first line of an answer, and whether it ends there, not at a limit."""
    text = str(tokenizer.decode(ids, skip_special_tokens=True)).lstrip()
    line, line_feed, _ = text.partition("\n")
    ends = {tokenizer.eos_token_id, tokenizer.pad_token_id}
    return line.strip(), bool(line_feed) or not ends.isdisjoint(ids.tolist())


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
    prompts: Sequence[Sequence[int]],
    max_tokens: int,
    cached: bool,
) -> torch.Tensor:
    """Return the token ids after each prompt, (num_prompts, num_tokens)."""
    ids, mask = left_padded(prompts, tokenizer.pad_token_id)
    length, most = ids.shape[1], max_positions(model.config)
    stops: dict[str, Any] = {"stop_strings": ["\n"], "tokenizer": tokenizer}
    if "\n" not in str(tokenizer.decode(tokenizer("a\nb")["input_ids"])):
        stops = {}  # it knows no line feed, and the library refuses to look for one
    with torch.inference_mode():
        output = model.generate(  # pyrefly: ignore[not-callable]: of a mixin
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=max_tokens
            if most is None
            else min(max_tokens, most - length),
            do_sample=False,
            **({} if cached else {"use_cache": False}),
            pad_token_id=tokenizer.pad_token_id,
            **stops,
        )
    return output[:, length:].cpu()
