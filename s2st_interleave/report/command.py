"""One page of HTML about a recipe: scores, curves, what the systems said to play, faults.

    python -m s2st_interleave report    from a recipe's directory, of exp or else quick/exp
    python -m s2st_interleave report --ids "utt7 utt9" --num_examples 0 --out mine.html

The file needs nothing beside itself: audio, pictures and style are in it. The same inputs
give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from s2st_interleave.config import nearest, option
from s2st_interleave.data import kaldi, sides
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, check_page
from s2st_interleave.quick import QUICK, here_or_quick
from s2st_interleave.report import curves, faults
from s2st_interleave.report.choice import choose
from s2st_interleave.report.example_html import article
from s2st_interleave.report.examples import Corpus, collect
from s2st_interleave.report.heard import Listener, is_finished
from s2st_interleave.report.page import Page, render
from s2st_interleave.report.ratios import ratios
from s2st_interleave.report.scores import Scores, read_scores
from s2st_interleave.report.systems import System, found, found_tags
from s2st_interleave.score.columns import heading
from s2st_interleave.show.page import BEGINS
from s2st_interleave.text_file import read_paragraph
from s2st_interleave.values import Device


@dataclass(frozen=True, kw_only=True)
class Options:
    exp_dir: Path = option(Path("exp"), "exp")
    data_dir: Path = option(Path("data"), "data, with a folder for each split")
    dump_dir: Path = option(Path("dump"), "dump, with align/<split>")
    trained: Path | None = option(
        None, "where <system>/metrics.jsonl lies, if that is not exp_dir"
    )
    split: str = option("test", "which test set")
    systems: tuple[str, ...] = option((), "tags; none: all that were trained or scored")
    decode_tags: tuple[str, ...] = option(
        (), "such as greedy_last; examples are of the first; none: all that were scored"
    )
    baseline: str = option("baseline", "the tag that others are compared with")
    topline_dir: Path | None = option(None, "none: exp_dir/topline/<split>")
    encoder: Path | None = option(
        None, "exp/encoder of stage 2: says when the words of the answers were heard"
    )
    device: Device = option(Device("cpu"), "of the encoder")
    ids: tuple[str, ...] = option((), "utterances to show in any case")
    num_examples: int = option(
        9, "others: the worst, median and best, taken in turn", minimum=0
    )
    title: str = option("", "heading of the page; none: the recipe's directory")
    corpus_note: Path | None = option(None, "file with what is said of the corpus")
    out: Path | None = option(
        None,
        "file to write; none: report.html in exp_dir, report.<split>.html of another split",
    )


def run(options: Options) -> None:
    # 1. What is there?
    options = _of_a_quick_run(options)
    if not options.exp_dir.is_dir():
        raise UserError(
            f"{options.exp_dir}: no such directory: run this from a recipe's directory, or "
            "name another one with --exp_dir"
        )
    is_main = options.split == Options().split
    name = "report.html" if is_main else f"report.{options.split}.html"
    out = options.out or options.exp_dir / name
    check_page(out, BEGINS)
    trained = options.trained or options.exp_dir
    tags = options.decode_tags or tuple(found_tags(options.exp_dir, options.split))
    there = found(options.exp_dir, trained, options.split)
    names = options.systems or tuple(there)
    _check_names(options, there)
    scores = read_scores(
        options.exp_dir,
        names,
        tags,
        options.split,
        options.baseline,
        options.topline_dir or options.exp_dir / "topline" / options.split,
    )
    corpus = _corpus(options)
    known = _known(corpus, options)

    # 2. Choose utterances, and read what is shown of them.
    choices = choose(
        scores.systems, options.baseline, options.ids, options.num_examples
    )
    articles = []
    if choices:
        cache = options.exp_dir / "asr_cache"
        listener = Listener(options.encoder, options.device, cache)
        examples = collect(choices, scores.systems, corpus, listener)
        name = _score_name(scores.systems)
        for number, example in enumerate(examples, 1):
            articles.append((example.choice.id, article(example, number, name)))

    # 3. The page.
    directories = faults.finished(options.data_dir, options.dump_dir, options.exp_dir)
    page = Page(
        title=options.title or options.exp_dir.absolute().parent.name,
        corpus_note=read_paragraph(options.corpus_note),
        about=_about(options, scores, known),
        notes=scores.notes,
        remark=scores.remark,
        systems=names,
        tables=scores.tables,
        charts=curves.read_charts({name: trained / name for name in names}),
        examples_note=_examples_note(
            len(articles), known, tags, options.encoder, corpus
        ),
        articles=articles,
        ratios=ratios(scores.systems, corpus),
        drops=faults.drops(directories),
        num_directories=len(directories),
        faults=[fault for system in scores.systems for fault in faults.faults(system)],
    )
    _write(out, render(page), len(articles))


def _check_names(options: Options, systems: Sequence[str]) -> None:
    """Refuse systems and a baseline that were not trained, and decodes that were not made."""
    decodes = options.exp_dir.glob(f"*/*/{options.split}")
    tags = sorted({path.parent.name for path in decodes})
    baseline = () if options.baseline == Options().baseline else (options.baseline,)
    for what, asked, known in (
        ("system", options.systems, systems),
        ("--baseline", baseline, systems),
        ("decode", options.decode_tags, tags),
    ):
        for name in asked:
            if name not in known:
                raise UserError(
                    f"no {what} '{name}' in {options.exp_dir}{nearest(name, known)}"
                )


def _of_a_quick_run(options: Options) -> Options:
    """The options, whose folders are below quick/ where a quick run alone was made."""
    folders = {
        name: getattr(options, name) for name in ("exp_dir", "data_dir", "dump_dir")
    }
    is_told = any(path != getattr(Options(), name) for name, path in folders.items())
    if is_told or here_or_quick(options.exp_dir) == options.exp_dir:
        return options
    return replace(options, **{name: QUICK / path for name, path in folders.items()})


def _corpus(options: Options) -> Corpus:
    folder = options.data_dir / options.split
    return Corpus(
        folder,
        options.dump_dir / "align" / options.split,
        options.exp_dir / "resynthesis" / options.split,
        sides.read(folder),
    )


def _known(corpus: Corpus, options: Options) -> int:
    """The number of utterances of the test set; UserError for an id that it has not."""
    data = kaldi.DataDir(corpus.data_dir)
    ids = data.texts(next(iter(corpus.languages)))
    for name in options.ids:
        if name not in ids:
            raise UserError(
                f"no utterance {name} in {corpus.data_dir}{nearest(name, ids)}"
            )
    return len(ids)


def _score_name(systems: Sequence[System]) -> str:
    """What an example's score is: BLEU of a sentence is not what the tables call ASR-BLEU."""
    if not systems:
        return ""
    name = heading(systems[0].score.primary, [systems[0].score])
    return "sentence BLEU" if name.endswith("BLEU") else name


def _about(options: Options, scores: Scores, num_utterances: int) -> str:
    parts = [f"{options.split}: {num_utterances} utterances"]
    made = [system.score for system in scores.systems]
    parts += [f"seed {seed}" for seed in dict.fromkeys(score.seed for score in made)]
    parts += [f"git {git[:12]}" for git in dict.fromkeys(score.git for score in made)]
    parts += [str(layout) for layout in dict.fromkeys(score.layout for score in made)]
    return ". ".join(parts) + "."


def _examples_note(
    count: int, known: int, tags: Sequence[str], encoder: Path | None, corpus: Corpus
) -> str:
    tag = f" Answers are those of {tags[0]}." if tags else ""
    times = (
        " When the words of an answer were heard says the recipe's encoder, which aligns "
        "the recogniser's text to the speech as stage 3 aligns transcripts; words in "
        "italics are hardly heard where they stand."
        if is_finished(encoder)
        else " No --encoder says when the words of the answers were heard."
    )
    again = (
        " A resynthesis has the borders of its reference."
        if corpus.resynthesis.is_file()
        else ""
    )
    return (
        f"{count} of {known} utterances, the worst, median and best in turn by sentence "
        f"scores and by their difference to the baseline.{tag}{times}{again} "
        "Spectrograms are of 0 to 8 kHz; a click on a word plays it."
    )


def _write(out: Path, html: str, num_examples: int) -> None:
    """Write the page, unless it is there already, and say how large it is."""
    data = html.encode()
    what = f"{num_examples} examples, {len(data) / 1e6:.1f} MB"
    if out.is_file() and out.read_bytes() == data:
        print(f"report: {out} is up to date ({what})")
        return
    with atomic_write(out, "wb") as stream:
        stream.write(data)
    print(f"report: {out} ({what})")
