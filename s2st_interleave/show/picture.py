"""What `show` draws, computed once: an utterance in time, and as the LLM reads it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["units", "text", "mask", "mark"]
ROLES = {"src": "source", "tgt": "target"}


@dataclass(frozen=True)
class Part:
    """A word, or "" for the time between two words, with its units.

    `is_text` says that the LLM reads text, or a mask, in place of these units.
    """

    word: str
    start_sec: float
    end_sec: float
    units: tuple[int, ...]
    is_text: bool

    @property
    def about(self) -> str:
        """Word, times and units in a line."""
        name = f"{self.word}, " if self.word else "no word, "
        times = f"{self.start_sec:.2f} to {self.end_sec:.2f} s"
        return f"{name}{times}, units {' '.join(map(str, self.units)) or '(none)'}"


@dataclass(frozen=True)
class Track:
    """A side in time. `num_text` of its `num_words` words are text at this step.

    `ratio` is the share that was to be, p(step) of the side.
    """

    side: str
    language: str
    parts: tuple[Part, ...]
    num_words: int
    num_text: int
    num_tokens: int
    ratio: float

    @property
    def title(self) -> str:
        role = ROLES.get(self.side, self.side)
        return f"{role} ({self.language})" if self.language else role

    @property
    def seconds(self) -> float:
        return self.parts[-1].end_sec if self.parts else 0.0

    @property
    def num_units(self) -> int:
        return sum(len(part.units) for part in self.parts)

    @property
    def about(self) -> str:
        """The realised text ratio, and what it does to the length."""
        share = self.num_text / self.num_words
        plural = "" if self.num_words == 1 else "s"
        return (
            f"{self.num_text} of {self.num_words} word{plural} as text ({share:.2f}) · "
            f"{self.seconds:.2f} s · {self.num_units} units \u2192 {self.num_tokens} tokens"
        )


@dataclass(frozen=True)
class Run:
    """Tokens of one kind that follow each other; `units` are those of the kind units."""

    kind: Kind
    num_tokens: int
    text: str = ""
    units: tuple[int, ...] = ()


@dataclass(frozen=True)
class Row:
    """A block of the sequence with the marks around it.

    `is_predicted` says that its tokens have a loss, and are what the LLM learns to say.
    """

    side: str
    kind: str  # speech or text
    runs: tuple[Run, ...]
    is_predicted: bool

    @property
    def title(self) -> str:
        kind = "units" if self.kind == "speech" else "text"
        return f"{ROLES.get(self.side, self.side)} {kind}"

    @property
    def num_tokens(self) -> int:
        return sum(run.num_tokens for run in self.runs)


@dataclass(frozen=True)
class Course:
    """The schedule: text ratios over optimizer steps, of a training called `name`.

    `points` are (step, ratio), from 0 to the end of the training or of the schedule,
    whichever is later. `read_at`: the steps at which the training reads the utterance.
    """

    name: str
    points: tuple[tuple[int, float], ...]
    num_steps: int
    read_at: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """An utterance at a step; `ratio` is the share of words to show as text, p(step).

    Where sides have ramps of their own it is the larger one; a track has its side's.
    """

    id: str
    step: int
    ratio: float
    tracks: tuple[Track, ...]
    rows: tuple[Row, ...]
    num_tokens_at_0: int  # of the sequence that inference sees
    course: Course

    @property
    def num_tokens(self) -> int:
        return sum(row.num_tokens for row in self.rows)

    @property
    def num_predicted(self) -> int:
        return sum(row.num_tokens for row in self.rows if row.is_predicted)

    @property
    def p(self) -> str:
        """The text ratio, as people read it; of each side, where sides differ."""
        if len({track.ratio for track in self.tracks}) < 2:
            return f"p = {self.ratio:.3g}"
        each = (f"{track.side} {track.ratio:.3g}" for track in self.tracks)
        return f"p = {', '.join(each)}"

    @property
    def place(self) -> str:
        """Step and training; a schedule may be longer than the training."""
        count = self.course.num_steps
        place = f" of {count}" if self.step < count else f", beyond the last of {count}"
        return f"step {self.step}{place} · {self.course.name}"

    @property
    def is_read(self) -> str:
        """Says whether the training reads the utterance at this step, or when it does."""
        steps = self.course.read_at
        if self.step in steps:
            return "the training reads it at this step"
        if not steps:
            return "a draw for this step: the training does not read it"
        nearest = min(steps, key=lambda step: abs(step - self.step))
        return f"a draw for this step: the training reads it at {nearest}"

    @property
    def counts(self) -> str:
        """The length of the sequence."""
        return (
            f"{self.num_tokens} tokens, {self.num_predicted} of them predicted; "
            f"{self.num_tokens_at_0} at p = 0"
        )

    @property
    def about(self) -> str:
        """All that the picture shows, in a sentence a side, for who cannot see it."""
        sides = [
            f"{track.title}: {track.about}. "
            + " ".join(
                f"[{part.word}]" if part.is_text else part.word
                for part in track.parts
                if part.word
            )
            for track in self.tracks
        ]
        head = f"{self.place}, text ratio {self.p}. {self.counts}."
        return " ".join([head, *(f"{each}." for each in sides)])
