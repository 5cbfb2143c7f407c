"""Makes the sentence of a meaning in a language, whose rules are all in its lexicon.

`lexicon/<code>.yaml`, which language.py reads, holds for one language:

name       the language's name in English; the recipes' shell reads this line as well
order      template of slots: `plain`, and `fronted` where the fronted part is `front`
one_part_verb  slot (`head` or `tail`) of a verb form that is a single part; a form with
           an auxiliary has its finite part in `head` and the rest in `tail`, and a `|`
           in a form splits it in the same way ("steht|auf")
adjective  `before` or `after` the noun, unless the adjective's entry says otherwise
voices     espeak-ng voices that speak the language, if it is a source, and their gender
rules      [regular expression, replacement] pairs for contractions, applied in order
paradigms  name -> {features, forms}; "compr/ar" is the stem `compr` in paradigm `ar`,
           stems are separated by spaces ("_" is a space inside one), `{0}` is the first
determiners, auxiliaries   name -> forms
roles      subject, object -> {text: marker before it, case}
relations  name -> {text, case}; a noun's entry may override one under `relations`
nouns, adjectives, adverbs, verbs   concept -> word, or {word, features, forms, slot,
           position, relations}; a word without a paradigm never changes

A form's key is a dotted set of features such as `f.pl`. Of the keys whose features all
hold, that with most features is taken; "" always holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from language import Language
from meaning import Meaning, NounPhrase, Phrase

from s2st_interleave.errors import UserError

T = TypeVar("T")
ENDING = re.compile(r"[^\w' ]")


def pick(forms: Mapping[str, T], features: frozenset[str]) -> T:
    """The value of the key that has most features among those whose features all hold.

    >>> pick({"": "the", "f.pl": "las", "f": "la"}, frozenset({"f", "pl", "def"}))
    'las'
    """
    best: list[str] = []
    for key in forms:
        wanted = key.split(".") if key else []
        if features.issuperset(wanted):
            best.append(key)
    if not best:
        raise UserError(f"no form for {sorted(features)} among {sorted(forms)}")
    return forms[max(best, key=lambda key: (key.count(".") + bool(key), key))]


AND = {"ca": "i", "de": "und", "en": "and", "es": "y", "fr": "et", "it": "e"}
AND |= {"pt": "e", "ru": "и"}


def realise(meaning: Meaning, language: Language) -> str:
    """The sentence, with a capital and a full stop: "Mi hermana compro un coche.".

    Raises UserError naming the language file and a meaning for which it lacks words.
    """
    return realise_all([meaning], language)


def realise_all(meanings: Sequence[Meaning], language: Language) -> str:
    """As `realise`, with a clause for each meaning: "Canto y mi hermana compra un coche."."""
    if len(meanings) > 1 and language.code not in AND:
        raise UserError(f"{language.code}: no word for 'and' (have: {', '.join(AND)})")
    clauses = []
    for meaning in meanings:
        try:
            clauses.append(_ordered(meaning, language))
        except UserError as error:
            raise UserError(
                f"{language.code}.yaml: {error}: {meaning.content}"
            ) from None
    return _sentence(f" {AND.get(language.code)} ".join(clauses), language)


def _ordered(meaning: Meaning, language: Language) -> str:
    """The sentence's words in the language's order, before contraction."""
    slots: dict[str, str] = {"subject": _argument(meaning.subject, "subject", language)}
    slots.update(_verb(meaning, language))
    if meaning.object:
        slots["object"] = _argument(meaning.object, "object", language)
    if meaning.predicate:
        features = _features(meaning.subject, language) | {"predicate"}
        entry = language.entry("adjectives", meaning.predicate)
        slots["predicate"] = pick(entry.forms, features)
    for slot in ("recipient", "goal", "companion", "place"):
        phrase = getattr(meaning, slot)
        if phrase:
            slots[slot] = _phrase(phrase, language)
    for slot in ("time", "frequency", "manner"):
        concept = getattr(meaning, slot)
        if concept:
            entry = language.entry("adverbs", concept)
            place = "front" if meaning.fronted == slot else entry.slot or slot
            slots[place] = pick(entry.forms, frozenset())
    if meaning.fronted == "place":
        slots["front"] = slots.pop("place")
    order = language.order["fronted" if meaning.fronted else "plain"].split()
    lost = set(slots) - set(order)
    if lost:
        raise UserError(f"order has no slot for {sorted(lost)}")
    return " ".join(slots.get(slot, "") for slot in order)


def normalise(sentence: str) -> str:
    """Lower-case words without punctuation but with apostrophes, as in CVSS."""
    return " ".join(ENDING.sub(" ", sentence.lower()).split())


def _sentence(words: str, language: Language) -> str:
    """The words contracted, with a capital and a full stop."""
    text = " ".join(words.split())
    for pattern, replacement in language.rules:
        text = pattern.sub(replacement, text)
    return text[:1].upper() + text[1:] + "."


def _features(phrase: NounPhrase, language: Language) -> frozenset[str]:
    """Number, gender, person and determiner of a noun phrase."""
    entry = language.entry("nouns", phrase.noun)
    person = frozenset() if "1" in entry.features else frozenset({"3"})
    human = frozenset({"human"} if phrase.human else ())
    return entry.features | person | human | {phrase.number, phrase.determiner}


def _noun_phrase(phrase: NounPhrase, language: Language, case: str) -> str:
    """Determiner, adjective and noun in the language's order, all agreeing."""
    features = _features(phrase, language) | ({case} if case else frozenset())
    determiner = pick(language.tables["determiners"][phrase.determiner], features)
    noun = pick(language.entry("nouns", phrase.noun).forms, features)
    if not phrase.adjective:
        return f"{determiner} {noun}"
    entry = language.entry("adjectives", phrase.adjective)
    adjective = pick(entry.forms, features)
    if (entry.position or language.adjective) == "before":
        return f"{determiner} {adjective} {noun}"
    return f"{determiner} {noun} {adjective}"


def _argument(phrase: NounPhrase, role: str, language: Language) -> str:
    """A subject or object with its case and marker (Spanish "a" before a person)."""
    features = _features(phrase, language) | {role}
    marking = pick(language.tables["roles"], features)
    words = _noun_phrase(phrase, language, marking.get("case", ""))
    return f"{marking.get('text', '')} {words}"


def _phrase(phrase: Phrase, language: Language) -> str:
    """A preposition with its noun phrase, in the case that the preposition takes."""
    noun = language.entry("nouns", phrase.noun_phrase.noun)
    relation = noun.relations.get(phrase.relation)
    relation = relation or language.tables["relations"][phrase.relation]
    words = _noun_phrase(phrase.noun_phrase, language, relation.get("case", ""))
    return f"{relation.get('text', '')} {words}"


def _verb(meaning: Meaning, language: Language) -> dict[str, str]:
    """The slots `head` (finite part) and `tail` of the verb in its tense."""
    features = _features(meaning.subject, language) | {meaning.tense}
    forms = language.entry("verbs", meaning.verb).forms
    auxiliary = language.tables["auxiliaries"].get(meaning.tense)
    if auxiliary:
        infinitive = pick(forms, frozenset({"inf"})).replace("|", "")
        return {"head": pick(auxiliary, features), "tail": infinitive}
    head, bar, tail = pick(forms, features).partition("|")
    if bar:
        return {"head": head, "tail": tail}
    return {language.one_part_verb: head}
