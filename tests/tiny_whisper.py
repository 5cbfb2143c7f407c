"""A Whisper of random weights, as a folder of Hugging Face."""

from pathlib import Path


def tiny_whisper(folder: Path) -> Path:
    """A random Whisper of Hugging Face, multilingual by its number of rows."""
    import tokenizers
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    words = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>"]
    words += ["<|notimestamps|>", *(f"<|{k / 50:.2f}|>" for k in range(1501))]
    plain = {f" w{k}": k for k in range(51865 - len(words))}
    model = tokenizers.models.WordLevel(plain, unk_token=" w0")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.add_special_tokens(words)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    sizes = {"encoder_layers": 1, "decoder_layers": 2, "d_model": 16}
    sizes |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    sizes |= {"encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "num_mel_bins": 80}
    torch.manual_seed(1)
    whisper = WhisperForConditionalGeneration(WhisperConfig(**sizes))
    whisper.generation_config.suppress_tokens = [3]
    whisper.save_pretrained(folder)
    return folder
