"""Each sequence has one subject and one relation, and is answered as the table of facts says."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from interpflow.rng import generator
from interpflow.tasks import fact_recall
from interpflow.tasks.base import make_dataset

SMALL = {"subjects": 6, "relations": 3, "answers": 4, "noise": 5, "length": 6}


def data(**options) -> xr.Dataset:
    return make_dataset(fact_recall, fact_recall.Options(**{**SMALL, **options}))


def words(found: xr.Dataset) -> list[list[str]]:
    """The tokens of every example."""
    return found["token"].values[found["tokens"].values].tolist()


def asked(sentence: list[str]) -> tuple[int, int]:
    """The one subject and the one relation before EOS; all else there is noise."""
    *before, end = sentence
    assert end == "EOS"
    kinds = Counter(word[0] for word in before)
    assert kinds == {"s": 1, "r": 1, "n": len(before) - 2}
    (subject,), (relation,) = ([int(w[1:]) for w in before if w[0] == kind] for kind in "sr")
    return subject, relation


def answers(found: xr.Dataset) -> list[str]:
    """The answer of every example, at EOS and nowhere else."""
    end = found.sizes["position"] - 1
    assert (found["scored"].values == (np.arange(end + 1) == end)).all()
    return found["output"].values[found["targets"].values[:, end]].tolist()


each_table = pytest.mark.parametrize(
    "options", [{}, {"drawn": 1}, {"table": "structured"}, {"size": 5}, {"zipf": 1.0}]
)


@each_table
def test_a_table_answers_all_sequences_alike(options):
    """The table is read off the split `facts`, where each fact stands once."""
    found = data(**options)
    sentences, answered, split = words(found), answers(found), found["split"].values
    facts = {asked(sentences[at]): answered[at] for at in np.flatnonzero(split == "facts")}
    subjects, relations = (5, 5) if "size" in options else (6, 3)
    assert len(facts) == (split == "facts").sum()
    assert {*facts} == {*itertools.product(range(subjects), range(relations))}
    for sentence, answer in zip(sentences, answered, strict=True):
        assert facts[asked(sentence)] == answer
    for (subject, relation), answer in facts.items():
        kind, number = answer[1:].split(".")
        assert int(kind) == relation
        if options.get("table") == "structured":  # 6 subjects, 4 answers
            assert int(number) == [0, 0, 1, 2, 2, 3][subject]


@each_table
def test_fresh_sequences_ask_for_the_same_facts(options):
    chosen = fact_recall.Options(**{**SMALL, **options})
    found, drawn = data(**options), fact_recall.sample(chosen, generator("test"), 300, 0)
    facts = dict(zip(map(asked, words(found)), answers(found), strict=True))
    for tokens, targets in zip(drawn["tokens"], drawn["targets"], strict=True):
        sentence = found["token"].values[tokens].tolist()
        assert facts[asked(sentence)] == found["output"].values[targets[-1]]


def test_states_say_what_stands_there():
    found = data()
    for sentence, answer, at in zip(words(found), answers(found), itertools.count()):
        example = found.isel(example=at)
        subject, relation = asked(sentence)
        assert (int(example["subject"]), int(example["relation"])) == (subject, relation)
        assert answer == f"a{relation}.{int(example['number'])}"
        for place, word in enumerate(sentence):
            here = example.isel(position=place)
            role = {"s": "subject", "r": "relation", "n": "noise", "E": "end"}[word[0]]
            assert found["role_name"].values[int(here["role"])] == role
            assert int(here["named_subject"]) == (subject if role == "subject" else -1)
            assert int(here["named_relation"]) == (relation if role == "relation" else -1)
    said = zip(found["answer_relation"].values, found["answer_number"].values, strict=True)
    assert [f"a{relation}.{number}" for relation, number in said] == found["output"].values.tolist()


def test_places_and_noise_words_and_facts_are_as_likely_as_any_other():
    chosen = fact_recall.Options(**{**SMALL, "length": 4})
    drawn = fact_recall.sample(chosen, generator("test"), 36_000, 0)["tokens"]
    kind = np.digitize(drawn, [6, 9, 14])  # subject, relation, noise, EOS
    places = Counter(map(tuple, kind.tolist()))
    assert {*places} == {(*order, 3) for order in itertools.permutations(range(3))}
    row = np.arange(len(drawn))
    one_of_each = np.stack([drawn[row, (kind == each).argmax(1)] for each in range(3)], 1)
    words = Counter(map(tuple, one_of_each.tolist()))
    for counts, many in ((places, 6), (words, 6 * 3 * 5)):
        mean = 36_000 / many
        assert len(counts) == many
        assert max(abs(count - mean) for count in counts.values()) < 5 * np.sqrt(mean)


def test_subjects_are_asked_for_in_proportion_to_a_power_of_their_rank():
    chosen = fact_recall.Options(**{**SMALL, "zipf": 1.0})
    drawn = fact_recall.sample(chosen, generator("test"), 49_000, 0)["tokens"]
    counts = np.bincount(drawn[drawn < 6], minlength=6)
    mean = 49_000 / 2.45 / np.arange(1, 7)  # 1 + 1/2 + … + 1/6 is 2.45
    assert (abs(counts - mean) < 5 * np.sqrt(mean)).all()


def test_tables_differ_and_give_all_answers_alike():
    tables = [
        fact_recall.facts_of(fact_recall.Options(subjects=200, relations=50, drawn=drawn))
        for drawn in (0, 1)
    ]
    for table in tables:
        counts = np.bincount(table.ravel(), minlength=8)
        assert (abs(counts - 1250) < 5 * np.sqrt(1250)).all()
    assert abs((tables[0] == tables[1]).mean() - 1 / 8) < 0.02


def test_validation_is_the_split_that_generate_has():
    chosen = fact_recall.Options(**SMALL, validation_size=50)
    whole = make_dataset(fact_recall, chosen)
    whole = whole.isel(example=whole["split"].values == "validation")
    alone = fact_recall.validation(chosen)
    for name in alone.variables:
        assert (alone[name].values == whole[name].values).all(), name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 2}, "length"),
        ({"answers": 1}, "answers"),
        ({"zipf": -1.0}, "zipf"),
        ({"table": "structured", "drawn": 1}, "drawn 1: there is one structured table"),
    ],
)
def test_tables_that_cannot_be_had_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        fact_recall.Options(**options)
