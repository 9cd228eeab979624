"""Studies of coverage: the same counts from any number of workers and from shards, and what is wrong is said."""

import concurrent.futures
import functools
import json
import multiprocessing

import glauber
import numpy as np
import pytest
import shared_work
from glauber._content import content_of


def test_workers_and_shards_give_the_numbers_of_one_process(tmp_path):
    alone = glauber.coverage(shared_work.study, {"beta": 0.3}, sets=6)
    assert alone.counted == {"beta": 6} and alone.verdict.startswith("the intervals hold"), alone
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        seen = []
        shared = glauber.coverage(
            shared_work.study, {"beta": 0.3}, sets=6, executor=pool, progress=lambda done, of: seen.append((done, of))
        )
        assert seen[-1] == (6, 6)
    assert shared.to_json() == alone.to_json()
    for k in (1, 2, 3):
        part = glauber.coverage(shared_work.study, {"beta": 0.3}, sets=6, shard=f"{k}/3")
        assert len(part.seeds) == 2 and "a part of the study: 2 of 6 sets" in part.verdict
        part.save(tmp_path / f"{k}.json")
    merged = glauber.Coverage.merge(sorted(tmp_path.glob("*.json")))
    assert merged.to_json() == alone.to_json()
    assert np.array_equal(merged.intervals["beta"], alone.intervals["beta"])


def test_intervals_that_are_too_narrow_are_told_and_so_are_those_that_are_missing():
    # Held with probability 0.673; 180 of them: 134 at most but for one study in 10⁴, and right ones 160 to 179.
    found = glauber.coverage(shared_work.narrow, {"x": 0.0}, sets=200)
    assert found.counted == {"x": 180} and sorted(found.failed) == list(range(10, 201, 10))
    assert found.held["x"] < found.expected["x"][0] and found.expected == {"x": (160, 179)}
    assert "too narrow" in found.verdict and "20 of 200 sets for x" in found.verdict
    assert "no data" in repr(found)


def test_expected_counts_are_those_of_the_binomial_law():
    draw = np.random.default_rng(1)
    low, high = glauber._coverage._likely(200, 0.95, 1e-3)
    held = draw.binomial(200, 0.95, 200_000)
    # Outside with at most 10⁻³: 200 of 200,000 expected at most, 5 standard errors of them on top.
    outside = int(np.sum((held < low) | (held > high)))
    assert outside <= 200 + 5 * 200**0.5
    # One number closer it would be more than half of that on a side.
    assert max(np.sum(held < low + 1), np.sum(held > high - 1)) > 50
    assert glauber._coverage._likely(0, 0.95, 1e-3) == (0, 0)


def test_parts_that_do_not_make_a_study_are_refused(tmp_path):
    truth = {"x": 0.0}
    parts = [glauber.coverage(shared_work.narrow, truth, sets=9, shard=(k, 3)) for k in (1, 2, 3)]
    for k, part in enumerate(parts):
        part.save(tmp_path / f"{k}.json")
    with pytest.raises(glauber.InputError, match="is there already: nothing was written"):
        parts[0].save(tmp_path / "0.json")
    with pytest.raises(glauber.InputError, match="3 of 9 sets of data are missing, as that of seed 2"):
        glauber.Coverage.merge([parts[0], parts[2]])
    with pytest.raises(glauber.InputError, match="another part has too, as that of seed 1"):
        glauber.Coverage.merge([*parts, parts[0]])
    with pytest.raises(glauber.InputError, match="part 2 is of another study than part 1: its sets is 8, not 9"):
        glauber.Coverage.merge([parts[0], glauber.coverage(shared_work.narrow, truth, sets=8)])
    with pytest.raises(glauber.InputError, match="no part to merge"):
        glauber.Coverage.merge([])
    with pytest.raises(glauber.InputError, match="none.json cannot be read"):
        glauber.Coverage.merge([tmp_path / "none.json"])
    text = (tmp_path / "0.json").read_text()
    for damaged in (text[:-20], "[1]", "{}", text.replace('"each"', '"other"'), text.replace('"seed": 1,', '"seed": "one",')):
        (tmp_path / "damaged.json").write_text(damaged)
        with pytest.raises(glauber.InputError, match=r"damaged.json is (damaged|no file)"):
            glauber.Coverage.merge([tmp_path / "damaged.json"])
    # A number that was changed by hand is no result.
    number = json.loads(text)
    number["each"][0]["x"][1] = -9.0
    (tmp_path / "number.json").write_text(json.dumps(number))
    with pytest.raises(glauber.InputError, match="number.json is damaged"):
        glauber.Coverage.merge([tmp_path / "number.json", parts[1], parts[2]])
    for one in (tmp_path / "0.json", str(tmp_path / "0.json"), parts[0]):
        with pytest.raises(glauber.InputError, match="which is one: give a list"):
            glauber.Coverage.merge(one)
    with pytest.raises(glauber.InputError, match="there is no folder .*nowhere: make it first"):
        parts[0].save(tmp_path / "nowhere" / "0.json")
    other = json.loads(text)
    other["version"] = "0.0.0"
    (tmp_path / "other.json").write_text(json.dumps(other))
    with pytest.raises(glauber.InputError, match="its version is '0.0.0'"):
        glauber.Coverage.merge([parts[1], tmp_path / "other.json"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"shard": "0/3"}, 'give it as "3/16"'),
        ({"shard": "4/3"}, 'give it as "3/16"'),
        ({"shard": "4/3"}, "no shard 4 of 3: they are numbered from 1 to 3"),
        ({"shard": "1/0"}, "no shards at all"),
        ({"shard": "4/4"}, "only 3 sets of data to share out"),
        ({"shard": "3"}, 'give it as "3/16"'),
        ({"shard": 3}, 'give it as "3/16"'),
        ({"level": 1}, "level is 1"),
        ({"level": float("nan")}, "level is nan"),
        ({"sets": 0}, "sets is 0"),
        ({"seed": 2**64 - 1}, "would not end below"),
        ({"truth": {}}, "the truth is empty"),
        ({"truth": {"y": 1.0}}, "gave nothing of `y`"),
        ({"truth": {"x": float("inf")}}, "the truth's `x`"),
        ({"study": lambda seed: 3}, "the study gave 3"),
        ({"study": lambda seed: {"x": 3}}, "the interval of `x`"),
        ({"study": lambda seed: {"x": (0, 1)}, "executor": concurrent.futures.ThreadPoolExecutor(1)}, "cannot be pickled"),
    ],
)
def test_what_makes_no_study_is_refused(changed, words):
    given = {"study": shared_work.narrow, "truth": {"x": 0.0}, "sets": 3, **changed}
    with pytest.raises(glauber.InputError, match=words.replace("(", r"\(")):
        glauber.coverage(given.pop("study"), given.pop("truth"), **given)


def test_a_study_that_is_no_function_and_a_truth_that_is_no_dict_are_refused():
    with pytest.raises(TypeError, match="the study is 3"):
        glauber.coverage(3, {"x": 0.0})
    with pytest.raises(TypeError, match="the truth is"):
        glauber.coverage(shared_work.narrow, [0.0])


def test_what_a_study_raises_else_is_raised():
    def study(seed):
        raise KeyError("a mistake")

    with pytest.raises(KeyError, match="a mistake"):
        glauber.coverage(study, {"x": 0.0})


FACTOR = 0.98


def wide(seed, factor=1.96):
    x = np.random.default_rng(seed).normal()
    return {"x": (x - factor, x + factor)}


def as_wide(seed):
    """As wide as it says in its module."""
    return wide(seed, FACTOR)


class Wide:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, seed):
        return wide(seed, self.factor)


def enclosing(factor):
    def study(seed):
        return wide(seed, factor)

    return study


def other(seed):
    y = np.random.default_rng(seed).normal()
    return {"x": (y - 1.96, y + 2.5)}


STUDIES = {
    "another function": lambda: (wide, other),
    "what is bound": lambda: (functools.partial(wide, factor=1.0), functools.partial(wide, factor=1.1)),
    "what is enclosed": lambda: (enclosing(1.0), enclosing(1.1)),
    "an attribute": lambda: (Wide(1.0), Wide(1.1)),
    "an array": lambda: (functools.partial(wide, factor=np.array([1.0, 2.0])), functools.partial(wide, factor=np.array([1.0, 2.1]))),
}


@pytest.mark.parametrize("change", STUDIES)
def test_shards_of_another_study_are_refused(change):
    one, another = (content_of(study) for study in STUDIES[change]())
    assert one != another and one == content_of(STUDIES[change]()[0])
    if change == "an array":
        return
    first, second = STUDIES[change]()
    parts = [glauber.coverage(study, {"x": 0.0}, sets=4, shard=(k + 1, 2)) for k, study in enumerate((first, second))]
    with pytest.raises(glauber.InputError, match="part 2 is of another study than part 1: the function"):
        glauber.Coverage.merge(parts)


def test_what_a_study_reads_of_its_module_counts(monkeypatch):
    before = content_of(as_wide)
    monkeypatch.setitem(globals(), "FACTOR", 0.99)
    assert content_of(as_wide) != before
    monkeypatch.setitem(globals(), "FACTOR", 0.98)
    assert content_of(as_wide) == before
    monkeypatch.setitem(globals(), "wide", other)
    assert content_of(as_wide) != before


def test_a_study_of_another_process_is_the_same_one():
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for study in (shared_work.study, functools.partial(shared_work.narrow), glauber.load("voter", shape=(4, 4))):
            assert pool.submit(content_of, study).result() == content_of(study)


def test_shards_by_another_python_are_warned_of():
    parts = [glauber.coverage(wide, {"x": 0.0}, sets=4, shard=(k, 2)) for k in (1, 2)]
    parts[1]._asked["python"] = "2.7"
    with pytest.warns(UserWarning, match="part 2 was made by Python 2.7.*cannot be told"):
        assert glauber.Coverage.merge(parts).counted == {"x": 4}
