"""Every language is the one that plain rules tell, letter by letter, and samplers draw what they say."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
import xarray as xr
from pydantic import ValidationError
from small import weights

from interpflow.errors import InterpflowError
from interpflow.model.transformer import build_model
from interpflow.tasks import automaton
from interpflow.tasks._language_walk import DEAD, Uniform, reached
from interpflow.tasks._languages import UNKNOWN, Language, named
from interpflow.tasks.base import make_dataset


def data(**options) -> xr.Dataset:
    sizes = {"train_size": 60, "validation_size": 20}
    return make_dataset(automaton, automaton.Options(**{**sizes, **options}))


def texts(found: xr.Dataset, split: str | None = None) -> list[str]:
    words = found["token"].values[found["tokens"].values]
    rows = zip(words, found["length"].values, found["split"].values, strict=True)
    return ["".join(row[:length]) for row, length, name in rows if split in (None, name)]


# Membership by plain rules, which know no states.


def matches(pattern: str) -> Callable[[str], bool]:
    return lambda string: re.fullmatch(pattern, string) is not None


def balances(string: str, pairs: str) -> bool:
    for opens, closes in zip(pairs[::2], pairs[1::2], strict=True):
        own = [1 if letter == opens else -1 for letter in string if letter in (opens, closes)]
        if any(total < 0 for total in itertools.accumulate(own)) or sum(own):
            return False
    return True


def is_d(n: int) -> Callable[[str], bool]:
    inner = ""
    for _ in range(n):
        inner = f"(?:a{inner}b)*"
    return matches(inner)


def in_prefix_order(string: str) -> bool:
    """Whether one expression is read, and nothing is left."""

    def behind(at: int) -> int | None:
        if at >= len(string):
            return None
        end: int | None = at + 1
        for _ in range({"~": 1, "+": 2, ">": 3}.get(string[at], 0)):
            end = None if end is None else behind(end)
        return end

    return behind(0) == len(string)


def is_tomita_3(string: str) -> bool:
    runs = [(letter, len(list(run))) for letter, run in itertools.groupby(string)]
    return not any(
        (one[0], other[0]) == ("1", "0") and one[1] % 2 and other[1] % 2
        for one, other in itertools.pairwise(runs)
    )


RULES: dict[str, Callable[[str], bool]] = {
    "tomita_1": matches("1*"),
    "tomita_2": matches("(10)*"),
    "tomita_3": is_tomita_3,
    "tomita_4": lambda string: "000" not in string,
    "tomita_5": lambda string: string.count("0") % 2 == string.count("1") % 2 == 0,
    "tomita_6": lambda string: (string.count("0") - string.count("1")) % 3 == 0,
    "tomita_7": matches("0*1*0*1*"),
    "parity": lambda string: string.count("1") % 2 == 0,
    "aa": matches("(aa)*"),
    "aaaa": matches("(aaaa)*"),
    "abab": matches("(abab)*"),
    "five_letters": matches("a+b+c+d+e+"),
    "ab_d_bc": matches("[ab]*d[bc]*"),
    "012_0_2": matches("[012]*02*"),
    "d_1": is_d(1),
    "d_2": is_d(2),
    "d_4": is_d(4),
    "dyck_1": lambda string: balances(string, "()"),
    "shuffle_2": lambda string: balances(string, "()[]"),
    "reset_dyck_1": lambda string: (
        all(balances_so_far(part) for part in string.split("1")) and balances(string.split("1")[-1], "()")
    ),
    "boolean_3": in_prefix_order,
    "boolean_1": in_prefix_order,
    "anbn": lambda string: string == "a" * (len(string) // 2) + "b" * (len(string) // 2) != "",
    "anbncn": lambda string: string == "".join(x * (len(string) // 3) for x in "abc") != "",
}  # fmt: skip


def balances_so_far(string: str) -> bool:
    return any(balances(string + ")" * more, "()") for more in range(len(string) + 1))


# How many letters the longest strings have that are all looked at, by the size of the alphabet.
LONGEST = {1: 20, 2: 10, 3: 9, 4: 7, 5: 7}
each_language = pytest.mark.parametrize("name", RULES)


@functools.cache
def members(name: str) -> set[str]:
    letters = named(name).letters
    return {
        string
        for length in range(LONGEST[len(letters)] + 1)
        for string in map("".join, itertools.product(letters, repeat=length))
        if RULES[name](string)
    }


def state_after(language: Language, string: str):
    state = language.start
    for letter in string:
        state = None if state is None else language.step(state, letter)
    return state


@each_language
def test_a_language_has_the_members_that_a_plain_rule_tells_of_all_strings(name):
    language, here = named(name), members(name)
    for length in range(8 if len(language.letters) < 4 else 6):
        for string in map("".join, itertools.product(language.letters, repeat=length)):
            state = state_after(language, string)
            assert (state is not None and language.accepts(state)) == (string in here), string


@each_language
def test_a_letter_may_come_next_where_some_member_goes_on_so(name):
    language, here = named(name), members(name)
    begun = {member[:length] for member in here for length in range(len(member) + 1)}
    for length in range({1: 9, 2: 5, 3: 3, 4: 3, 5: 2}[len(language.letters)]):
        for string in map("".join, itertools.product(language.letters, repeat=length)):
            assert (state_after(language, string) is not None) == (string in begun), string


def test_all_126_strings_of_a_language_of_two_letters_are_told_apart_by_hand():
    asked = [s for n in range(1, 7) for s in map("".join, itertools.product("01", repeat=n))]
    assert len(asked) == 126
    language = named("parity")
    told = {s: language.accepts(state_after(language, s)) for s in asked}
    assert told == {s: s.count("1") % 2 == 0 for s in asked}


REGULAR = [name for name in RULES if not named(name).counters]


@pytest.mark.parametrize("name", REGULAR)
def test_a_regular_language_is_star_free_where_no_word_permutes_states(name):
    """Schuetzenberger: star-free is having a transition monoid of which each power settles."""
    language = named(name)
    graph = reached(language, 30)
    # DEAD is -1, so a last state that stays is the dead one.
    letters = [(*column, len(graph.states)) for column in graph.following.T.tolist()]
    letters = [tuple(len(graph.states) if to == DEAD else to for to in word) for word in letters]
    words, fresh = set(letters), set(letters)
    while fresh:
        fresh = {tuple(letter[to] for to in word) for word in fresh for letter in letters} - words
        words |= fresh

    def settles(word: tuple[int, ...]) -> bool:
        power = word
        for _ in range(len(word) + 1):
            power = tuple(word[to] for to in power)
        return tuple(word[to] for to in power) == power

    says = language.attributes
    assert says.star_free == all(map(settles, words)) == (says.dot_depth > 0)


def test_what_is_said_of_a_language_stands_with_each_of_its_strings():
    found = data(language="d_4")
    assert (found["star_free"] == 1).all() and (found["dot_depth"] == 4).all()
    assert (data(language="parity")["c_rasp_positions"] == 0).all()
    assert (data(language="dyck_1")["star_free"] == UNKNOWN).all()


# The data.

# The sampler of boolean_1 ends nearly every string early.
SAMPLED = [(name, how) for name in RULES for how in ("authors", "uniform")
           if (name, how) != ("boolean_1", "authors")]  # fmt: skip


@pytest.mark.parametrize(("name", "how"), SAMPLED)
def test_strings_are_members_as_long_as_asked_with_the_answers_of_walking_by_hand(name, how):
    options = {
        "language": name,
        "strings": how,
        "min_length": 3,
        "max_length": 16,
        "bins": [[17, 30]],
    }
    found = data(**options)
    language = named(name)
    given = {name: values.values for name, values in found.items()}
    for at, string in enumerate(texts(found)):
        low, high = (17, 30) if given["split"][at] == "bin1" else (3, 16)
        assert low <= len(string) <= high and language.accepts(state_after(language, string))
        for name_ in ("state", "member", "letters"):
            assert (given[name_][at, len(string) :] == -1).all()
        state = language.start
        for place, letter in enumerate(string):
            state = language.step(state, letter)
            assert (given["state"][at, place], given["letters"][at, place]) == (state[0], place + 1)
            assert given["member"][at, place] == language.accepts(state)
            if language.counters:
                assert given["count"][:, at, place].tolist() == [*state[1:]]
            told = (
                [language.accepts(state)] if language.asks == "membership"
                else [language.step(state, letter) is not None for letter in language.letters]
            )  # fmt: skip
            assert given["targets"][at, place].tolist() == told
        assert (given["scored"][at] == (np.arange(len(given["scored"][at])) < len(string))).all()


def test_either_target_can_be_asked_of_any_language():
    found = data(language="d_2", target="membership")
    assert found["output"].values.tolist() == ["member"]
    assert (found["targets"].values[..., 0] == (found["member"].values == 1)).all()
    assert data(language="parity", target="next_letters")["targets"].values[0, 0].tolist() == [1, 1]


def test_the_example_of_the_task_is_read_as_it_says():
    spec = {"start": "even", "accept": ["even"],
            "transitions": {"even": {"0": "even", "1": "odd"}, "odd": {"0": "odd", "1": "even"}}}  # fmt: skip
    found = data(automaton=spec, strings="uniform", target="membership", min_length=4, max_length=4)
    at = texts(found).index("0110")
    assert found["state"].values[at].tolist() == [0, 1, 0, 0]
    assert found["targets"].values[at, :, 0].tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("name", "lengths"),
    [("d_2", (2, 6)), ("tomita_4", (3, 5)), ("anbncn", (1, 9)), ("dyck_1", (5, 8))],
)
def test_uniform_strings_are_any_of_their_length_and_lengths_are_alike(name, lengths):
    low, high = lengths
    there = Counter(len(string) for string in members(name) if low <= len(string) <= high)
    size = 6000
    found = Counter(texts(data(language=name, strings="uniform", train_size=size, min_length=low,
                               max_length=high), "train"))  # fmt: skip
    assert {*found} == {string for string in members(name) if low <= len(string) <= high}
    for string, count in found.items():
        share = 1 / len(there) / there[len(string)]
        assert abs(count - size * share) < 5 * (size * share) ** 0.5, string


def test_only_ratios_of_counts_are_kept_so_strings_may_be_long():
    long = Uniform(named("tomita_5"), 1000)
    (string,) = long.draw(np.random.default_rng(0), [1000], 1)
    assert len(string) == 1000 and 400 < sum(string) < 600 and sum(string) % 2 == 0


@pytest.mark.parametrize("how", ["authors", "uniform"])
def test_no_split_moves_another_and_fewer_authors_strings_begin_more(how):
    base = {"language": "tomita_4", "strings": how, "max_length": 12}
    one, more = data(**base), data(**base, bins=[[13, 20]])
    assert texts(one) == texts(more)[:80]
    assert how == "uniform" or texts(data(**base, train_size=9), "train") == texts(one, "train")[:9]


def test_the_authors_fill_each_block_so_none_is_empty_and_uniform_strings_have_empty_ones():
    """Blocks of D_2 are `a` (ab)* `b`: where one is empty, `ab` stands at depth 0."""

    def with_an_empty_block(how: str) -> float:
        found = texts(data(language="d_2", strings=how, train_size=100, min_length=20))
        return float(np.mean(["" in re.findall("a((?:ab)*)b", string) for string in found]))

    assert with_an_empty_block("authors") == 0 < 0.5 < with_an_empty_block("uniform")


def test_the_authors_strings_differ_until_there_are_no_more_and_then_come_again():
    found = texts(data(language="anbn", train_size=100), "train")
    assert len({*found}) == 25 and found[25:50] == found[:25] == found[75:]
    few = texts(data(language="dyck_1", train_size=200), "train")
    assert len({*few}) == 200


def test_padding_is_a_word_of_its_own_so_strings_of_one_letter_differ_by_their_length():
    found = data(language="aa")
    assert found["token"].values.tolist() == ["a", "<pad>"]
    rows = {row.tobytes() for row in found["tokens"].values}
    assert len(rows) == len({*texts(found)}) > 10


@pytest.mark.parametrize("name", ["d_2", "parity", "dyck_1"])
def test_a_token_before_the_first_letter_moves_all_by_one_place_and_is_not_asked_about(name):
    options = {"language": name, "bins": [[51, 60]], "near_size": 7}
    without, found = data(**options), data(**options, begin=True)
    assert found["token"].values.tolist() == [*named(name).letters, "<begin>", "<pad>"]
    assert texts(found) == [f"<begin>{string}" for string in texts(without)]
    assert not found["scored"].values[:, 0].any()
    for variable in ("scored", "targets", "state", "member", "letters", "count"):
        if variable in without:
            moved = found[variable].isel(position=slice(1, None)).values
            assert (moved == without[variable].values).all(), variable
    language = named(name)
    first = found.isel(position=0)
    assert (first["state"] == language.start[0]).all() and (first["letters"] == 0).all()
    assert (first["member"] == language.accepts(language.start)).all()
    if language.asks == "next_letters":
        told = [language.step(language.start, letter) is not None for letter in language.letters]
        assert (first["targets"].values == told).all()


@pytest.mark.parametrize("layers", [1, 2])
def test_without_positions_only_a_token_before_them_tells_equal_letters_apart(layers):
    def answers(begin: bool) -> torch.Tensor:
        found = data(language="d_2", begin=begin)
        model = build_model({"layers": layers, "positions": "none", "d_mlp": 8}, found)
        tokens = torch.tensor([[[2, 0, 0, 0] if begin else [0, 0, 0]]])
        return model(weights(model, [0]), tokens)[0, 0, int(begin) :]

    same = answers(False)
    torch.testing.assert_close(same[0].expand_as(same), same)
    told = answers(True)
    assert (told[0] - told[1]).abs().max() > 1e-3 < (told[1] - told[2]).abs().max()


NEAR = [name for name in RULES if len(named(name).letters) > 1]


@pytest.mark.parametrize("name", NEAR)
def test_near_members_are_asked_about_before_the_letter_that_leads_out(name):
    most = 8 if len(named(name).letters) < 4 else 7
    found = data(language=name, strings="uniform", min_length=2, max_length=most, near_size=30)
    members_ = {*texts(found, "validation")}
    here = members(name)
    begun = {member[:length] for member in here for length in range(len(member) + 1)}
    rows = np.flatnonzero(found["split"].values == "near")
    assert len(rows) == 30
    for row, string in zip(rows, texts(found, "near"), strict=True):
        assert string not in here
        assert any(
            len(other) == len(string) and sum(map(str.__ne__, other, string)) == 1
            for other in members_
        )
        (at,) = np.flatnonzero(found["scored"].values[row])
        if named(name).asks == "membership":
            assert at == len(string) - 1 and found["targets"].values[row, at].tolist() == [0]
        else:
            assert string[: at + 1] in begun and string[: at + 2] not in begun
            letter = named(name).letters.index(string[at + 1])
            assert found["targets"].values[row, at, letter] == 0


def test_near_members_come_for_each_bin_and_move_no_other_split():
    base = {"language": "d_2", "bins": [[51, 60], [61, 70]]}
    one, more = data(**base), data(**base, near_size=5)
    assert texts(more)[: len(texts(one))] == texts(one)
    lengths = more.groupby("split").map(lambda split: split["length"].max())
    assert lengths.sel(split="near") <= 50 < lengths.sel(split="near1") <= 60
    assert 60 < lengths.sel(split="near2") <= 70


def test_a_language_of_one_letter_has_no_near_members():
    with pytest.raises(InterpflowError, match="set near_size: 0 for this language"):
        data(language="aa", near_size=5)


ODD = {"start": "s", "accept": ["s"], "transitions": {"s": {"a": "t"}, "t": {"a": "s"}}}


def test_states_that_lead_to_no_member_are_no_way_on():
    trap = {
        "start": "s",
        "accept": ["s"],
        "transitions": {"s": {"a": "s", "b": "u"}, "u": {"a": "u"}},
    }
    found = data(automaton=trap, strings="uniform", max_length=4)
    assert found["token"].values.tolist() == ["a", "<pad>"] and found["output"].values.tolist() == [
        "a"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "language or automaton: give exactly one"),
        ({"language": "aa", "automaton": ODD}, "language or automaton: give exactly one"),
        ({"language": "tomita_8"}, "no language 'tomita_8'.*did you mean 'tomita_"),
        ({"language": "shuffle_9"}, "shuffle_<n> takes n up to 6"),
        ({"automaton": ODD}, "an automaton takes uniform"),
        ({"language": "aa", "min_length": 9, "max_length": 8}, "min_length is 9, above max_length 8"),
        ({"language": "aa", "bins": [[40, 60]]}, r"bins has \[40, 60\]"),
        ({"automaton": {**ODD, "start": "r"}}, "start names no state: 'r'"),
        ({"automaton": {**ODD, "transitions": {"s": {"a": "tt"}, "t": {"a": "s"}}}},
         "transitions.s names no state: 'tt'.*did you mean 't'"),
        ({"automaton": {"start": "s", "accept": ["t"], "transitions": {"s": {"a": "s"}, "t": {}}}},
         "no string leads from start 's'"),
    ],
)  # fmt: skip
def test_languages_that_cannot_be_had_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        automaton.Options(**options)


def test_lengths_that_no_member_has_are_named():
    with pytest.raises(InterpflowError, match="train: no member has 3 to 3 letters"):
        data(language="d_2", strings="uniform", min_length=3, max_length=3)
    with pytest.raises(
        InterpflowError, match=r"train: of .* strings of aaaa none has 5 to 7 letters"
    ):
        data(language="aaaa", min_length=5, max_length=7)
    with pytest.raises(InterpflowError, match=r"more than 20000 states.*strings: authors"):
        data(language="shuffle_4", strings="uniform", max_length=100)
