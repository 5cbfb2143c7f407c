"""The files of a packed folder, their description, and their checksums.

encoder/ kmeans/ llm/ vocoder/   the models, as their stages write them; a vocoder only
                                 where the task answers in speech
pack.json                        `Description`: how they work together
score.json                       scores of the test set, where it was scored
config.yaml                      options of the LLM's training, without paths
README.md                        the model card, as the Hugging Face hub shows it
LICENSE THIRD_PARTY.md NOTICE    terms of use
SHA256SUMS                       checksums for `sha256sum -c`; written last
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from s2st_interleave import typed_json
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, file_digest, read_json, write_json
from s2st_interleave.interleave.layout import DIRECT, S2ST, Layout
from s2st_interleave.text_file import read_lines

PARTS = ("encoder", "kmeans", "llm", "vocoder")
DESCRIPTION, SUMS, CARD, VERSION = "pack.json", "SHA256SUMS", "README.md", 3
# Files that stage 11 writes without a checksum.
OUTSIDE = {SUMS, "stage.json", "stage.open.json", "dropped.tsv"}


@dataclass(frozen=True)
class Description:
    """`pack.json`: all that translation needs besides the weights of the four models."""

    sides: dict[str, str]  # language by role
    system: str
    checkpoint: str
    layer: int  # the encoder's layer from which the codebook was made
    layout: str  # given blocks -> blocks of the answer
    prompt: str  # names task or pair to a model that was trained on several; else ""
    num_beams: int
    max_text_tokens: int
    max_unit_ratio: float
    base_llm: str
    base_encoder: str
    git: str
    version: int = VERSION

    @property
    def speaks(self) -> bool:
        """Whether the answer has speech, and not text alone."""
        return Layout.parse(self.layout).speaks

    def write(self, directory: Path) -> None:
        """Write `pack.json`."""
        write_json(directory / DESCRIPTION, asdict(self))

    @classmethod
    def read(cls, directory: Path) -> "Description":
        """Read `pack.json`; UserError for one of an unknown version."""
        values = _upgraded(read_json(directory / DESCRIPTION))
        known = {field.name for field in fields(cls)}
        if values.get("version") != VERSION or values.keys() != known:
            raise UserError(
                f"{directory / DESCRIPTION} is not of version {VERSION}: pack it again"
            )
        description = typed_json.read(cls, values, str(directory / DESCRIPTION))
        layout = Layout.parse(description.layout)
        missing = [side for side in layout.sides if side not in description.sides]
        wrong = [f"no language of {' '.join(missing)}"] if missing else []
        wrong += ["num_beams below 1"] if description.num_beams < 1 else []
        wrong += ["not one recording to answer"] if len(layout.given) != 1 else []
        if wrong:
            raise UserError(f"{directory / DESCRIPTION}: {wrong[0]}: pack it again")
        return description


def _upgraded(values: dict[str, Any]) -> dict[str, Any]:
    """The description of an earlier version in the keys of this one."""
    upgraded = dict(values)
    if upgraded.get("version") == 1:  # one task, with or without its texts
        layout = S2ST if values["cot"] else DIRECT
        upgraded |= {"layout": layout, "prompt": values["pair"], "version": 2}
    if upgraded.get("version") == 2:  # sides had languages and no roles
        spoken = {"src": values["src_lang"], "tgt": values["tgt_lang"]}
        upgraded |= {"sides": spoken, "version": VERSION}
    earlier = ("cot", "pair", "src_lang", "tgt_lang")
    return {name: value for name, value in upgraded.items() if name not in earlier}


def write_sums(directory: Path) -> None:
    """Write SHA256SUMS of all files but the model card, in which people write."""
    names = (name for name in _files(directory) if name != CARD)
    sums = {name: file_digest(directory / name) for name in names}
    with atomic_write(directory / SUMS) as stream:
        stream.writelines(f"{digest}  {name}\n" for name, digest in sums.items())


def listed(directory: Path) -> list[str]:
    """Names of the files in SHA256SUMS."""
    return list(_sums(directory))


def check_sums(directory: Path) -> None:
    """Raise UserError, naming it, for a file that is missing, changed or not listed.

    The model card may have been edited, which translation does not read. Earlier versions
    listed it.
    """
    sums = _sums(directory)
    for name in (*sums, CARD):
        if _leads_out(directory, directory / name):
            raise UserError(
                f"{directory / name} is a link that leads out of the folder: copy the "
                "file itself"
            )
    for name, digest in sums.items():
        if name == CARD:
            continue
        if not (directory / name).is_file():
            raise UserError(f"{directory / name} is missing: copy the folder again")
        if file_digest(directory / name) != digest:
            raise UserError(
                f"{directory / name} is not what was packed (sha256 differs): copy the "
                "folder again"
            )
    strangers = sorted(set(_files(directory)) - sums.keys() - {CARD})
    if strangers:
        raise UserError(
            f"{directory / strangers[0]} is not listed in {SUMS}: it was not packed, "
            "take it out"
        )


def check_card(directory: Path) -> None:
    """Raise UserError where there is no model card, or one that no longer is what is listed."""
    card = directory / CARD
    if not card.is_file():
        raise UserError(f"{card}, the model card, is missing: copy the folder again")
    if _sums(directory).get(CARD) not in (None, file_digest(card)):
        raise UserError(
            f"{card} was edited, and {SUMS} lists it, as those of earlier versions do: "
            f"take its line out of {SUMS}"
        )


def _sums(directory: Path) -> dict[str, str]:
    """Digests by name; UserError where there are none, or a line is none."""
    path = directory / SUMS
    if not path.is_file():
        raise UserError(
            f"{directory}: no packed model here, {SUMS} is missing; stage 11 makes one: "
            "./run.sh --stage 11 --stop_stage 11"
        )
    sums = {}
    for number, line in read_lines(path):
        digest, gap, name = line.partition("  ")
        if not gap or len(digest) != 64 or not name:
            raise UserError(f"{path}:{number}: no line '<sha256>  <file>'")
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UserError(f"{path}:{number}: {name} leads out of the folder")
        sums[name] = digest
    return sums


def _leads_out(directory: Path, path: Path) -> bool:
    """Is it a link out of the folder? Those of the hub's cache lead to its own blobs."""
    home = directory.resolve()
    blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else home
    place = path.resolve()
    return not (place.is_relative_to(home) or place.is_relative_to(blobs))


def _files(directory: Path) -> list[str]:
    """Paths relative to the folder, sorted, without hidden files of the system."""
    names = (
        path.relative_to(directory)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    )
    return [
        str(name)
        for name in names
        if str(name) not in OUTSIDE and not any(p[0] == "." for p in name.parts)
    ]
