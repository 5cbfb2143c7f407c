"""Draws meanings of concepts that go together by `lexicon/meanings.yaml`.

The n-th meaning comes from a generator keyed by (seed, n): it is the same on any machine,
for any size of corpus, and for every language pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meaning import LEXICON_DIR, Draw, Meaning, NounPhrase, Phrase

from s2st_interleave import yaml_text
from s2st_interleave.errors import UserError

MEANINGS = LEXICON_DIR / "meanings.yaml"
SIZES = (5, 9)  # words of a sentence, from and to
CLAUSE_SIZES = (6, 7)  # of a clause: two and a conjunction have 13 to 15 words
MAX_DRAWS = 10_000  # without a new meaning: there are no more


class MeaningSpace:
    """The concepts that go together; `sample` draws a meaning, `splits` those of splits."""

    def __init__(self, path: Path = MEANINGS, sizes: tuple[int, int] = SIZES) -> None:
        self.path, self.sizes = path, sizes
        data: dict[str, Any] = yaml_text.read(path, typed=True)
        self._classes = {k: v.split() for k, v in data["classes"].items()}
        self._plural = set(data["plural"].split())
        self._mass = set(data["mass"].split())
        self._subjects: dict[str, int] = data["subjects"]
        self._pronouns: dict[str, str] = data["pronouns"]
        self._places: dict[str, str] = data["places"]
        self._times = {k: v.split() for k, v in data["times"].items()}
        self._frequencies: list[str] = data["frequencies"].split()
        self._verbs: dict[str, dict[str, Any]] = data["verbs"]
        self._adjectives: dict[str, list[str]] = {}
        for name, adjectives in data["adjectives"].items():
            for noun in self._classes[name]:
                self._adjectives.setdefault(noun, []).extend(adjectives.split())

    def sample(self, seed: int, index: int) -> Meaning:
        """The `index`-th meaning of `seed`, of about `sizes` words."""
        draw = Draw(seed, "meaning", index)
        while True:
            meaning = self._draw_meaning(draw)
            if self.sizes[0] <= meaning.size <= self.sizes[1]:
                return meaning

    def splits(self, seed: int, sizes: Mapping[str, int]) -> dict[str, list[Meaning]]:
        """The first `sizes[split]` meanings of each split, no content twice.

        A split's meanings do not depend on the sizes of other splits. Raises UserError
        where the space has too few.
        """
        chosen: dict[str, dict[str, Meaning]] = {split: {} for split in sizes}
        index = last = 0
        while any(len(chosen[split]) < size for split, size in sizes.items()):
            if index - last > MAX_DRAWS:
                have = ", ".join(f"{len(v)} for {k}" for k, v in chosen.items())
                raise UserError(f"{self.path} has too few meanings: {have}")
            meaning = self.sample(seed, index)
            index += 1
            split = meaning.split
            known = chosen.get(split, {})
            if len(known) < sizes.get(split, 0) and meaning.content not in known:
                known[meaning.content] = meaning
                last = index
        return {split: list(meanings.values()) for split, meanings in chosen.items()}

    def concepts(self) -> dict[str, set[str]]:
        """All concepts that can be drawn, by kind of word."""
        keys = ("objects", "subjects", "recipients", "places", "goals", "goals_at")
        specs = self._verbs.values()
        named = " ".join(spec.get(key, "") for spec in specs for key in keys)
        states = " ".join(spec.get("states", "") for spec in specs)
        manners = " ".join(spec.get("manners", "") for spec in specs)
        adjectives = {a for options in self._adjectives.values() for a in options}
        adverbs = {time for time in self._times if time} | set(self._frequencies)
        return {
            "nouns": set(self._members(f"{named} kin")) | set(self._pronouns),
            "adjectives": adjectives | set(states.split()),
            "adverbs": adverbs | set(manners.split()),
            "verbs": set(self._verbs),
        }

    def relations(self) -> set[str]:
        """The relations in which places can stand: "in", "on" ..."""
        return set(self._places.values())

    def _draw_meaning(self, draw: Draw) -> Meaning:
        verb = draw.choose(list(self._verbs))
        spec = self._verbs[verb]
        subject = self._subject(draw, spec)
        time, tense = self._time(draw, spec)
        parts: dict[str, Any] = {}
        if "objects" in spec:
            noun = draw.choose(self._members(spec["objects"]))
            parts["object"] = self._noun_phrase(draw, noun, adjective=0.5)
        if "states" in spec:
            parts["predicate"] = draw.choose(spec["states"].split())
        if "recipients" in spec:
            noun = draw.choose(self._members(spec["recipients"]))
            parts["recipient"] = Phrase("to_person", self._person(draw, noun))
        for key, relation in (("goals", "to"), ("goals_at", "arrive_at")):
            if key in spec:
                noun = draw.choose(spec[key].split())
                parts["goal"] = Phrase(relation, self._noun_phrase(draw, noun, 0.2))
        if "places" in spec and (spec.get("needs") == "place" or draw.chance(0.45)):
            parts["place"] = self._place(draw, spec)
        if spec.get("with") and draw.chance(0.25):
            noun = draw.choose(self._classes["kin"])
            parts["companion"] = Phrase("with", self._person(draw, noun))
        if "manners" in spec and tense not in ("want", "must") and draw.chance(0.25):
            parts["manner"] = draw.choose(spec["manners"].split())
        habit = tense == "present" and not time and not spec.get("timeless")
        if habit and draw.chance(0.5):
            parts["frequency"] = draw.choose(self._frequencies)
        if draw.chance(0.3):
            # "In the park she sings" is odd: only a full subject lets the place lead.
            place = "place" in parts and subject.determiner != "none"
            parts["fronted"] = "time" if time else "place" if place else ""
        return self._sensible(Meaning(verb, tense, subject, time=time, **parts), draw)

    def _sensible(self, meaning: Meaning, draw: Draw) -> Meaning:
        """`meaning`, or another one if a noun occurs twice in it or "we" own "my" things."""
        phrases = [meaning.recipient, meaning.goal, meaning.companion, meaning.place]
        nouns = [phrase.noun_phrase.noun for phrase in phrases if phrase]
        nouns += [part.noun for part in (meaning.subject, meaning.object) if part]
        owners = {part.determiner for part in (meaning.subject, meaning.object) if part}
        odd = meaning.subject.noun == "we" and "my" in owners
        return (
            self._draw_meaning(draw) if odd or len(nouns) > len(set(nouns)) else meaning
        )

    def _members(self, names: str) -> list[str]:
        """Nouns named in `names`, classes replaced by their members."""
        return [n for name in names.split() for n in self._classes.get(name, [name])]

    def _subject(self, draw: Draw, spec: Mapping[str, Any]) -> NounPhrase:
        if "subjects" in spec and "person" not in spec["subjects"]:
            noun = draw.choose(self._members(spec["subjects"]))
            return self._noun_phrase(draw, noun, 0.3, determiner="def")
        kind = draw.weighted(self._subjects)
        if kind == "pronoun":
            noun = draw.choose(list(self._pronouns))
            return NounPhrase(noun, "none", self._pronouns[noun], human=True)
        if "also" in spec and draw.chance(0.2):
            noun = draw.choose(self._classes[spec["also"]])
            return self._noun_phrase(draw, noun, 0.5, determiner="def")
        return self._person(draw, draw.choose(self._classes[kind]))

    def _person(self, draw: Draw, noun: str) -> NounPhrase:
        if noun in self._classes["kin"]:
            owner = draw.choose(["my", "my", "our"])
            return NounPhrase(noun, owner, human=True)
        return self._noun_phrase(draw, noun, 0.35, determiner="def")

    def _noun_phrase(
        self, draw: Draw, noun: str, adjective: float, determiner: str = ""
    ) -> NounPhrase:
        """A phrase with `noun`, and an adjective with the probability `adjective`."""
        if noun in self._classes["kin"]:
            return self._person(draw, noun)
        number = "pl" if noun in self._plural and draw.chance(0.35) else "sg"
        human = noun in self._classes["person"]
        determiner = determiner or draw.choose(["def", "indef"])
        if noun in self._places and not human:
            determiner = "def"
        if noun in self._mass:
            determiner = "mass"
        options = self._adjectives.get(noun, [])
        chosen = draw.choose(options) if options and draw.chance(adjective) else ""
        return NounPhrase(noun, determiner, number, chosen, human)

    def _place(self, draw: Draw, spec: Mapping[str, Any]) -> Phrase:
        noun = draw.choose(spec["places"].split())
        adjective = draw.choose(self._adjectives.get(noun, [""]))
        adjective = adjective if draw.chance(0.2) else ""
        return Phrase(self._places[noun], NounPhrase(noun, "def", "sg", adjective))

    def _time(self, draw: Draw, spec: Mapping[str, Any]) -> tuple[str, str]:
        """A time adverbial ("" for none) and a tense that goes with it."""
        without = spec.get("without", "").split()
        while True:
            named = draw.chance(0.6) and not spec.get("timeless")
            time = draw.choose([t for t in self._times if t]) if named else ""
            tense = draw.choose(self._times[time])
            if tense not in without:
                return time, tense
