"""Stage 11: encoder, codebook, LLM and vocoder in one folder that `translate` loads.

Model card, licences, scores and checksums lie beside them; the optimizer's state is left
out. The fingerprints of the stages show that the parts were made for each other. `push`
uploads the folder to the Hugging Face hub.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import sides
from s2st_interleave.errors import UserError
from s2st_interleave.facts import DecodeFacts, TrainFacts, VocoderFacts
from s2st_interleave.files import atomic_write, remove_tree
from s2st_interleave.interleave.task import Task, prompt
from s2st_interleave.pack import folder, notice, packable
from s2st_interleave.promises import DONE, VOLATILE
from s2st_interleave.provenance import git_state
from s2st_interleave.record import digest
from s2st_interleave.score import records
from s2st_interleave.score.records import SystemScore
from s2st_interleave.stage_dir import Input, Stage, made_with, open_stage, read_done
from s2st_interleave.stages.dumps import pair_prompt
from s2st_interleave.stages.results import check_heard
from s2st_interleave.stages.vocoder import voice_doubt
from s2st_interleave.text_file import read_paragraph
from s2st_interleave.units.kmeans import FILE as CENTROIDS

if TYPE_CHECKING:
    from s2st_interleave.pack import card

CONFIG = "config.yaml"  # the options of stage 6
# Files of a checkpoint or a stage that translation does not read.
LEFT_BEHIND = VOLATILE | {"dropped.tsv", "trained.safetensors"}


@dataclass(frozen=True, kw_only=True)
class Options:
    encoder: Path = option(REQUIRED, "exp/<encoder> of stage 2")
    kmeans: Path = option(REQUIRED, "exp/<kmeans> of stage 4")
    units_dir: Path = option(REQUIRED, "dump/units/train that the LLM learned")
    dump_dir: Path = option(REQUIRED, "dump/interleave/train, the same as a dump")
    train_dir: Path = option(REQUIRED, "exp/<tag> of stage 6")
    decode_dir: Path = option(
        REQUIRED, "exp/<tag>/<decode_tag>/<split>: its checkpoint, limits and score"
    )
    vocoder: Path | None = option(
        None, "exp/<vocoder>, where the task answers in speech"
    )
    out_dir: Path = option(REQUIRED, "folder to write")
    corpus: str = option("", "name of the test data, for the model card", new=True)
    corpus_note: Path | None = option(
        None, "a file with what the card says of the corpus", runtime=True
    )
    overwrite: bool = option(False, "make it anew", runtime=True)

    removed: ClassVar[dict[str, str]] = {
        name: "leave it out: the dump knows which side speaks what"
        for name in ("src_lang", "tgt_lang")
    }
    earlier = staticmethod(sides.without_languages)


def run(options: Options) -> None:
    # 1. Check that the parts belong together, and whether they are packed already.
    task = _task(options)
    inputs = {
        "encoder": Input(options.encoder, "encoder"),
        "kmeans": Input(options.kmeans, "kmeans"),
        "units": Input(options.units_dir, "units"),
        "dump": Input(options.dump_dir, "dump"),
        "train": Input(options.train_dir, "train"),
        "decode": Input(options.decode_dir, "decode"),
    }
    if options.vocoder is not None:
        inputs["vocoder"] = Input(options.vocoder, "vocoder")
    prints = {name: origin.fingerprint() for name, origin in inputs.items()}
    check_chain(options, prints)
    score = options.decode_dir / "score.json"
    note = read_paragraph(options.corpus_note)
    said = {"corpus_note": digest(note)} if note else {}
    stage = open_stage(
        options.out_dir,
        stage="pack",
        options=options,
        inputs=inputs | ({"score": Input(score)} if score.is_file() else {}) | said,
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    voice = options.vocoder
    if voice and (doubt := voice_doubt(voice, task.layout.speaker)):
        print(f"pack: warning: {doubt}", flush=True)

    from s2st_interleave.train import checkpoint

    # 2. Copy the models, without files that only training needs.
    out = options.out_dir
    for name in folder.PARTS:  # parts of an interrupted run
        remove_tree(out / name)
    decoded = read_done(options.decode_dir, "decode")
    answers = DecodeFacts.of(decoded, options.decode_dir)
    trained = checkpoint.of(options.train_dir, answers.checkpoint)
    copy(_models(options.encoder), out / "encoder")
    copy([options.kmeans / CENTROIDS], out / "kmeans")
    copy(_models(trained), out / "llm")
    if options.vocoder is not None:
        copy(_models(options.vocoder), out / "vocoder")

    # 3. Write the description, scores, licences and model card; the checksums come last.
    description = describe(options, task, decoded)
    description.write(out)
    copy([score] if score.is_file() else [], out)
    copy(notice.licences(), out)
    write_texts(options, description, score, out)
    folder.write_sums(out)
    _finish(stage, out)


def write_texts(
    options: Options, description: folder.Description, score: Path, out: Path
) -> None:
    """Write NOTICE, the model card, and the options of the training without their paths."""
    from s2st_interleave.pack import card

    with atomic_write(out / "NOTICE") as stream:
        stream.write(notice.render(description))
    scores = None
    if score.is_file():
        scores = records.read(SystemScore, score)
    spoken = "-".join(description.sides.values())
    backend = ""
    if options.vocoder is not None:
        backend = VocoderFacts.read(options.vocoder).backend
    text = card.render(
        description,
        _training(options),
        scores,
        options.corpus or f"a corpus ({spoken}) that was not named",
        backend,
        read_paragraph(options.corpus_note),
    )
    with atomic_write(out / folder.CARD) as stream:
        stream.write(text)
    config = options.train_dir / CONFIG
    if config.is_file():
        with atomic_write(out / CONFIG) as stream:
            stream.write(without_paths(config.read_text(encoding="utf-8")))


def _training(options: Options) -> "card.Training":
    from s2st_interleave.pack import card

    done = read_done(options.train_dir, "train")
    facts = TrainFacts.of(done, options.train_dir)
    return card.Training(
        num_pairs=read_done(options.dump_dir, "dump")["counts"]["out"],
        num_steps=facts.num_steps,
        num_tokens=facts.tokens_seen,
        seconds=facts.train_sec,
        seed=done["options"]["seed"],
        method=card.method(done["options"]),
    )


def without_paths(text: str) -> str:
    """YAML in which a path is only its last part: others have no such folders.

    >>> without_paths("llm: /data/my llm\\ntrain_dir:\\n- ../dump/train\\nlr: 0.1\\n")
    'llm: my llm\\ntrain_dir:\\n- train\\nlr: 0.1\\n'
    """
    import yaml

    def short(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: short(each) for key, each in value.items()}
        if isinstance(value, list):
            return [short(each) for each in value]
        return _base(value) if isinstance(value, str) and "/" in value else value

    return yaml.safe_dump(short(yaml.safe_load(text)), sort_keys=False)


def _finish(stage: Stage, out: Path) -> None:
    count = len(folder.PARTS)
    stage.record["paths"] = {
        k: _home_left_out(v) for k, v in stage.record["paths"].items()
    }
    stage.finish(num_in=count, num_out=count, said=f"{count} parts")
    print(f"pack: s2st-translate --model {out} in.wav")


def _home_left_out(path: str) -> str:
    """A path from the recipe's folder, or the last part of one from elsewhere."""
    given, here = Path(path), Path.cwd()
    if not given.is_absolute():
        return path
    return str(given.relative_to(here)) if given.is_relative_to(here) else given.name


def check_chain(options: Options, prints: dict[str, str]) -> None:
    """Raise UserError unless each part was made with the one before it.

    `prints` are the parts' fingerprints by name.
    """
    recorded = {
        "kmeans": read_done(options.kmeans, "kmeans")["inputs"],
        "units": read_done(options.units_dir, "units")["inputs"],
        "dump": read_done(options.dump_dir, "dump")["inputs"],
        "train": read_done(options.train_dir, "train")["inputs"],
        "decode": read_done(options.decode_dir, "decode")["inputs"],
    }
    # A part, the part that it was made with, and that one's name in the record of the
    # first (or name.0, name.1 ... where it was made with several).
    links = [
        ("kmeans", "encoder", "encoder"),
        ("units", "kmeans", "kmeans"),
        ("dump", "units", "units"),
        ("train", "dump", "train"),
        ("decode", "train", "train"),
    ]
    if options.vocoder is not None:
        recorded["vocoder"] = read_done(options.vocoder, "vocoder")["facts"]
        links.append(("vocoder", "kmeans", "kmeans"))
    where = vars(options)
    for part, maker, name in links:
        several = [v for k, v in recorded[part].items() if k.partition(".")[0] == name]
        if prints[maker] not in several:
            paths = [where.get(k) or where[f"{k}_dir"] for k in (part, maker)]
            raise UserError(
                f"{paths[0]} was not made with {paths[1]}: pack parts of one recipe, or "
                "run it again from there"
            )
    _check_speech(options)


def _check_speech(options: Options) -> None:
    """Raise UserError where the scores are not of speech by the vocoder that is packed."""
    score, speech = (options.decode_dir / name for name in ("score", "vocode"))
    is_heard = (score / DONE).is_file() and (speech / DONE).is_file()
    if options.vocoder is None or not is_heard:
        return
    check_heard(options.decode_dir)
    if not made_with(speech, "vocode", "vocoder", options.vocoder, "vocoder"):
        raise UserError(
            f"{speech} is of another vocoder than {options.vocoder}: pack that one, or run "
            "stages 8 and 9 again"
        )


def _models(directory: Path) -> list[Path]:
    return [
        path
        for path in sorted(directory.iterdir())
        if path.is_file() and path.name not in LEFT_BEHIND and path.name[0] != "."
    ]


def copy(files: Iterable[Path], into: Path) -> None:
    """Copy files into a folder, which is made if it is missing."""
    into.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, into / file.name)


def _task(options: Options) -> Task:
    """The task that the decode answers.

    Raises UserError where no folder can be packed of it, or a vocoder is missing, or given
    to a task that does not speak.
    """
    task = packable.task_of(options.train_dir, options.decode_dir)
    if task.layout.speaks != (options.vocoder is not None):
        remedy = "name its" if task.layout.speaks else "leave out the"
        raise UserError(f"task '{task.layout}': {remedy} --vocoder")
    return task


def describe(
    options: Options, task: Task, decoded: dict[str, Any]
) -> folder.Description:
    """The packed folder's description; `decoded` is the `stage.json` of the decode."""
    trained = read_done(options.train_dir, "train")
    encoder = read_done(options.encoder, "encoder")
    limits = decoded["options"]
    git = git_state()
    named = trained["options"].get("name_pair", False)
    return folder.Description(
        sides=sides.read(options.dump_dir),
        system=options.train_dir.name,
        checkpoint=DecodeFacts.of(decoded, options.decode_dir).checkpoint,
        layer=read_done(options.kmeans, "kmeans")["options"]["layer"],
        layout=str(task.layout),
        prompt=prompt(task, pair_prompt(options.dump_dir) if named else ""),
        num_beams=limits["num_beams"],
        max_text_tokens=limits["max_text_tokens"],
        max_unit_ratio=limits["max_unit_ratio"],
        base_llm=_base(trained["paths"]["llm"]),
        base_encoder=_base(encoder["paths"]["encoder"]),
        git=f"{git['hash'] or 'unknown'}{'-dirty' if git['dirty'] else ''}",
    )


def _base(source: str) -> str:
    """A hub's name, or the last part of a folder's path: a pack holds no local paths."""
    path = Path(source)
    return path.name if path.is_dir() or len(path.parts) != 2 else source
