"""What a report shows of one utterance: recordings, texts and word times."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from s2st_interleave import recipe_paths
from s2st_interleave.align.words import Word, read_each
from s2st_interleave.data import kaldi, sides
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Block
from s2st_interleave.promises import DONE
from s2st_interleave.report import heard, sounds
from s2st_interleave.report.choice import Choice
from s2st_interleave.report.sounds import Sound
from s2st_interleave.report.systems import System
from s2st_interleave.score.columns import digits


@dataclass(frozen=True)
class Track:
    """A recording and its words, or a `note` on why there is no recording or no times."""

    title: str
    language: str
    sound: Sound | None = None
    words: tuple[Word, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """A text of a system and the text that it is held against."""

    title: str
    language: str
    reference: str
    text: str


@dataclass(frozen=True)
class Said:
    """What one system said: its score of this utterance in words, speech and texts."""

    system: str
    score: str
    track: Track | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Example:
    """An utterance; `texts` are (title, language, text) of its sides as the corpus has them."""

    choice: Choice
    texts: tuple[tuple[str, str, str], ...]
    tracks: tuple[Track, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True)
class Corpus:
    """The test set, and where recordings, word times and resynthesis of it lie."""

    data_dir: Path
    align_dir: Path
    resynthesis_dir: Path
    languages: Mapping[str, str] = field(default_factory=dict)

    @property
    def resynthesis(self) -> Path:
        """The table of what the vocoder says of the reference's units, where it was made."""
        return self.resynthesis_dir / "wav.scp"


@dataclass(frozen=True)
class Shown:
    """What is known of one side's chosen utterances, by id; `again` is the resynthesis."""

    title: str
    language: str
    texts: Mapping[str, str]
    wavs: Mapping[str, Path]
    words: Mapping[str, Sequence[Word]]
    again: Mapping[str, Path]

    def tracks(self, utterance: str) -> Iterator[Track]:
        """Its recording and resynthesis, where they are; both have the same borders."""
        names = {self.title: self.wavs, "resynthesis of its units": self.again}
        for title, paths in names.items():
            if utterance in paths:
                words = self.words.get(utterance, ())
                yield _track(title, self.language, paths[utterance], words)


def collect(
    choices: Sequence[Choice],
    systems: Sequence[System],
    corpus: Corpus,
    listener: heard.Listener,
) -> Iterator[Example]:
    """The examples of the chosen utterances.

    Raises UserError where the encoder cannot be read; a recording that cannot be read is
    a note.
    """
    # 1. Tables of the test set, of which only the chosen lines are kept.
    ids = [choice.id for choice in choices]
    used = {side for system in systems for side in system.layout.sides}
    shown = {
        side: _shown(side, ids, systems, corpus)
        for side in corpus.languages
        if side in used or not systems
    }

    # 2. When the words of the systems' speech were heard.
    times = {}
    for system in systems:
        paths = {u: system.wav(u) for u in ids if u in system.wavs}
        there = {u: path for u, path in paths.items() if sounds.can_be_read(path)}
        heard_of = _kept(system.heard, ids)
        times[system.name] = listener.place(system.name, heard_of, there)

    # 3. Utterances side by side, as sounds are encoded outside Python's lock.
    def example(choice: Choice) -> Example:
        sides = shown.values()
        return Example(
            choice,
            tuple(
                (side.title, side.language, side.texts[choice.id])
                for side in sides
                if choice.id in side.texts
            ),
            tuple(t for side in sides for t in side.tracks(choice.id)),
            tuple(
                _said(system, choice.id, corpus, shown, times[system.name])
                for system in systems
            ),
        )

    with ThreadPoolExecutor() as pool:
        yield from pool.map(example, choices)


def _shown(
    side: str, ids: Sequence[str], systems: Sequence[System], corpus: Corpus
) -> Shown:
    data = kaldi.DataDir(corpus.data_dir)
    is_spoken = any(x.layout.speaks and x.side == side for x in systems)
    wavs = data.wavs(side) if data.file("wav.scp", side).is_file() else {}
    again = _kept(_resynthesis(corpus), ids) if is_spoken else {}
    return Shown(
        _side_name(side, systems),
        corpus.languages[side],
        _kept(data.texts(side), ids),
        _placed(_kept(wavs, ids), corpus.data_dir),
        _words(corpus, side, ids),
        _placed(again, corpus.resynthesis_dir),
    )


def _said(
    system: System,
    utterance: str,
    corpus: Corpus,
    shown: Mapping[str, Shown],
    times: Mapping[str, heard.Placed],
) -> Said:
    answers = []
    for block in system.layout.wanted:
        is_speech = block.kind == "speech"
        said = system.heard if is_speech else system.texts.get(block.side, {})
        title = "heard" if is_speech else system.layout.title(block)
        code, reference = corpus.languages[block.side], shown[block.side].texts
        answers.append(
            Answer(title, code, reference.get(utterance, ""), said.get(utterance, ""))
        )
    track = None
    if system.layout.speaks:
        placed = times.get(utterance, heard.Placed())
        code = corpus.languages[system.side]
        if utterance in system.wavs:
            path = system.wav(utterance)
            track = _track(system.name, code, path, placed.words, placed.fault)
        else:
            track = Track(system.name, code, note="no speech: the answer has no units")
    row = system.rows.get(utterance)
    score = "no score"
    if row and row.score is not None:
        score = f"{row.score:.{digits(system.score.primary)}f}"
    return Said(system.name, score, track, tuple(answers))


def _track(
    title: str, code: str, path: Path, words: Sequence[Word], note: str = ""
) -> Track:
    try:
        return Track(title, code, sounds.read(path), tuple(words), note)
    except (UserError, OSError) as error:
        return Track(title, code, note=f"cannot be played: {error}")


def _side_name(side: str, systems: Sequence[System]) -> str:
    """Source or reference, as the task has it."""
    layouts = [system.layout for system in systems]
    given = any(Block(side, kind) in x.given for x in layouts for kind in _KINDS)
    answered = any(Block(side, "speech") in x.wanted for x in layouts)
    return "source" if given and not answered else "reference"


_KINDS = ("speech", "text")


def _kept(table: Mapping, ids: Sequence[str]) -> dict:
    return {utterance: table[utterance] for utterance in ids if utterance in table}


def _placed(wavs: Mapping[str, Path], source: Path) -> dict[str, Path]:
    """Where the recordings of a wav.scp in `source` lie."""
    return {u: recipe_paths.resolve(wav, source) for u, wav in wavs.items()}


def _resynthesis(corpus: Corpus) -> dict[str, Path]:
    path = corpus.resynthesis
    return kaldi.read_places(path) if path.is_file() else {}


def _words(corpus: Corpus, side: str, ids: Sequence[str]) -> dict[str, list[Word]]:
    """Words of stage 3; none of utterances that could not be aligned."""
    if not (corpus.align_dir / DONE).is_file():
        return {}
    known = sides.read(corpus.align_dir)
    path = sides.path_of(corpus.align_dir, "words.{}.jsonl", side, known)
    wanted = set(ids)
    lines = (line for line in read_each([path]) if line.id in wanted)
    return {line.id: line.words for line in lines if line.fault is None}
