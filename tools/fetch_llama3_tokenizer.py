"""Fetch the tokenizer of Llama 3, for rehearsals and benchmarks at full size.

    python tools/fetch_llama3_tokenizer.py --out downloads/llama3-tokenizer

It is Meta's, under the Llama 3 Community License, and comes inside the package llama-models
0.3.0. That wheel is downloaded under a pinned sha256, never installed or imported; the
tokenizer alone is taken out (see fetch_whisper.py), and written once more as Hugging Face
reads it: 128,256 tokens, <|begin_of_text|> 128000, <|end_of_text|> 128001. --wheel takes a
wheel that is already on this machine.
"""

import sys
import zipfile
from pathlib import Path

from fetch_whisper import Source, fetch, parser

LLAMA_3_TOKENIZER = Source(
    requirement="llama-models==0.3.0",
    wheel_sha256="7f77f78ff13fca09f70d76a376aff6414cd901623fb9d57e69c2f8367a73032f",
    folder="llama_models/llama3",
    files={
        "tokenizer.model": (
            "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55"
        )
    },
)
# How a text falls into parts before bytes are merged, and the special tokens: as in
# llama_models/llama3/tokenizer.py.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
NUM_SPECIAL = 256
SPECIAL = """begin_of_text end_of_text reserved_special_token_0 reserved_special_token_1
finetune_right_pad_id step_id start_header_id end_header_id eom_id eot_id python_tag
image""".split()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = parser(__doc__).parse_args(arguments)
    try:
        print(fetch(LLAMA_3_TOKENIZER, options.out / "model", options.wheel))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"fetch_llama3_tokenizer: {error}", file=sys.stderr)
        return 1
    if not (options.out / "tokenizer.json").is_file():
        convert(options.out / "model" / "tokenizer.model", options.out)
    return 0


def convert(model: Path, out: Path) -> None:
    """Write the tokenizer of a `tokenizer.model` into `out` as Hugging Face reads it."""
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    more = range(2, 2 + NUM_SPECIAL - len(SPECIAL))
    names = [*SPECIAL, *(f"reserved_special_token_{number}" for number in more)]
    tokens = [f"<|{name}|>" for name in names]
    converter = TikTokenConverter(
        str(model), pattern=PATTERN, extra_special_tokens=tokens
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=converter.converted(),
        bos_token=tokens[0],
        eos_token=tokens[1],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    sys.exit(main())
