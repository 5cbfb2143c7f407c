"""A task as data: the blocks of its sequence, given ones before `->`, learned ones after.

`src_speech -> src_text tgt_text tgt_speech` is the paper's speech-to-speech translation with
its chain of thought (Sec. 3.1); other tasks are other lines. Builder, decoding grammar,
parser, probe and scorer all iterate over the same blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError

Kind = Literal["speech", "text"]
S2ST = "src_speech -> src_text tgt_text tgt_speech"  # the paper's
DIRECT = "src_speech -> tgt_speech"  # without its chain of thought
PAIR = ("src", "tgt")  # sides of a translation; other sides go by their own names


@dataclass(frozen=True)
class Block:
    """The speech units or the text of one side; a side is a role, not a language."""

    side: str
    kind: Kind

    @property
    def name(self) -> str:
        return f"{self.side}_{self.kind}"


@dataclass(frozen=True)
class Layout:
    """Inference starts from the `given` blocks; the loss is on the `wanted` ones."""

    given: tuple[Block, ...]
    wanted: tuple[Block, ...]

    @classmethod
    def parse(cls, line: str) -> "Layout":
        """Read `src_speech -> tgt_text tgt_speech`.

        Raises UserError for a line without an arrow, a word that is no block, a block that
        occurs twice, and an arrow without blocks on one of its sides.
        """
        left, arrow, right = line.partition("->")
        layout = cls(_blocks(left, line), _blocks(right, line))
        names = [block.name for block in layout.blocks]
        if not (arrow and layout.given and layout.wanted):
            raise UserError(
                f"task '{line}': expected blocks on both sides of one '->', such as "
                "'src_speech -> tgt_text'"
            )
        if len(set(names)) < len(names):
            raise UserError(f"task '{line}': a block occurs twice")
        return layout

    def __str__(self) -> str:
        sides = (self.given, self.wanted)
        return " -> ".join(" ".join(block.name for block in part) for part in sides)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.given + self.wanted

    @property
    def sides(self) -> tuple[str, ...]:
        """Roles in the order in which they first occur."""
        return tuple(dict.fromkeys(block.side for block in self.blocks))

    @property
    def two_fold_sides(self) -> tuple[str, ...]:
        """Sides that occur both as speech and as text."""
        names = {block.name for block in self.blocks}
        return tuple(
            side for side in self.sides if {f"{side}_speech", f"{side}_text"} <= names
        )

    @property
    def transcripts(self) -> tuple[str, ...]:
        """Names of the learned texts of sides that are given as speech."""
        return tuple(block.name for block in self._transcripts)

    def title(self, block: Block) -> str:
        """What pages call a wanted block: what it is in a translation, else its own name."""
        if block.side not in PAIR:
            return block.name
        if block.kind == "speech":
            return "speech"
        return "transcript" if block.name in self.transcripts else "translation"

    @property
    def transcribed(self) -> tuple[str, ...]:
        """Sides whose transcript is learned."""
        return tuple(block.side for block in self._transcripts)

    @property
    def read_by_texts(self) -> tuple[str, ...]:
        """Sides whose speech stands before a learned text, which is predicted from it."""
        texts = [n for n, b in enumerate(self.blocks) if b in self._learned_texts]
        before = self.blocks[: max(texts, default=0)]
        return tuple(block.side for block in before if block.kind == "speech")

    @property
    def speaker(self) -> str:
        """The side whose speech is learned, the first of several; "" where none is."""
        spoken = (block.side for block in self.wanted if block.kind == "speech")
        return next(spoken, "")

    @property
    def speaks(self) -> bool:
        """Whether an answer has speech, which stage 8 makes audible."""
        return bool(self.speaker)

    def check_one_speaks(self) -> None:
        """Raise UserError where answers have speech of several sides: one can be heard."""
        sides = [block.side for block in self.wanted if block.kind == "speech"]
        if len(sides) > 1:
            raise UserError(
                f"task '{self}' answers in speech of {' and '.join(sides)}: stages 8 and 9 "
                "make and score that of one side; train a task for each"
            )

    def translates(self, languages: Mapping[str, str]) -> bool:
        """Whether it says in another language what it is given, and does not answer it.

        `languages` are codes by side.
        """
        source, target = PAIR
        return {*self.sides} == {*PAIR} and languages[source] != languages[target]

    @property
    def writes(self) -> bool:
        """Whether an answer has text."""
        return bool(self._learned_texts)

    @property
    def _learned_texts(self) -> tuple[Block, ...]:
        return tuple(block for block in self.wanted if block.kind == "text")

    @property
    def _transcripts(self) -> tuple[Block, ...]:
        heard = {block.side for block in self.given if block.kind == "speech"}
        return tuple(block for block in self._learned_texts if block.side in heard)


def _blocks(words: str, line: str) -> tuple[Block, ...]:
    blocks = []
    for word in words.split():
        side, _, kind = word.rpartition("_")
        if kind not in get_args(Kind) or not side.isidentifier():
            near = nearest(word, ("src_speech", "src_text", "tgt_speech", "tgt_text"))
            raise UserError(
                f"task '{line}': '{word}' is no block, which is a side and _speech or "
                f"_text{near}"
            )
        blocks.append(Block(side, kind))  # type: ignore[arg-type]
    return tuple(blocks)
