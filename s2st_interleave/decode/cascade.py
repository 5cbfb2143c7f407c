"""The text topline: the text LLM, before any speech, translates reference transcripts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2st_interleave.train.llm import load_text_llm


def translate_texts(
    texts: Mapping[str, str],
    llm: Path,
    prompt: str,
    *,
    device: Any = "cpu",
    max_tokens: int = 100,
    batch_size: int = 32,
    progress: Any = iter,
) -> dict[str, str]:
    """Greedy continuation of `prompt` (with {text}) up to its line's end, by id."""
    import torch

    model, tokenizer = load_text_llm(llm)
    model = model.to(device).eval()
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    order = sorted(texts, key=lambda name: (len(texts[name]), name))
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    found: dict[str, str] = {}
    for names in progress(batches):
        lines = [prompt.replace("{text}", texts[name]) for name in names]
        batch = tokenizer(
            lines, return_tensors="pt", padding=True, return_token_type_ids=False
        )
        with torch.inference_mode():
            output = model.generate(
                **batch.to(device),
                max_new_tokens=max_tokens,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
                stop_strings=["\n"],
                tokenizer=tokenizer,
            )
        answers = output[:, batch["input_ids"].shape[1] :]
        for name, ids in zip(names, answers, strict=True):
            text = tokenizer.decode(ids, skip_special_tokens=True)
            found[name] = text.strip().split("\n")[0].strip()
    return found
