"""A finished tiny experiment: stages 1 to 8 on four noises, and two systems with scores."""

import contextlib
from pathlib import Path

import tiny_recipe

from s2st_interleave.stages import compare, decode, score, train

TEXT = "src_speech -> tgt_text"  # an answer that needs no recogniser


def make(root: Path, text_llm: Path) -> None:
    """Write the experiment below `root`; its records name no path outside of it."""
    root.mkdir()
    with contextlib.chdir(root):
        tiny_recipe.make(Path(), text_llm)
        for name in ("baseline", "other"):
            _system(name, text_llm)
        compare.run(
            compare.Options(
                data_dir=Path("data"),
                system_dir=Path("exp/other/greedy_last/test"),
                baseline_dir=Path("exp/baseline/greedy_last/test"),
                num_resamples=10,
            )
        )


def _system(name: str, text_llm: Path) -> None:
    folder, dump = Path("exp", name), Path("dump/interleave")
    answers = folder / "greedy_last/test"
    train.run(
        train.Options(
            llm=text_llm,
            train_dir=(dump,),
            dev_dir=(dump,),
            out_dir=folder,
            max_steps=2,
            batch_size=4,
            text_ratio=0.0,
            layout=TEXT,
            seed=1 + len(name),
            **tiny_recipe.CPU,
        )
    )
    decode.run(
        decode.Options(
            train_dir=folder,
            dump_dir=dump,
            out_dir=answers,
            max_text_tokens=4,
            **tiny_recipe.CPU,
        )
    )
    score.run(
        score.Options(
            data_dir=Path("data"),
            train_dir=folder,
            decode_dir=answers,
            out_dir=answers / "score",
            num_resamples=10,
        )
    )
