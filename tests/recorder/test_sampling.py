"""The order of work that tells early what each source costs."""

import pytest

from journal import sampled


def test_a_few_of_each_source_come_first():
    """Of each source in turn `count` items from all over it, then the rest source by source."""
    order = sampled([("a", "1234"), ("b", "56"), ("c", "789")], count=2)

    assert "".join(item for _, item in order) == "135678249"


def test_of_what_is_no_list_the_first_come_first():
    """Nobody knows how much is still to come of it."""
    order = sampled([("a", iter("1234")), ("b", iter("56"))], count=2)

    assert "".join(item for _, item in order) == "125634"


def test_each_item_comes_with_its_source():
    """What is yielded tells whose it is."""
    assert list(sampled({"a": [1, 2], "b": [3]}.items(), count=1)) == [
        ("a", 1),
        ("b", 3),
        ("a", 2),
    ]


def test_a_dozen_is_taken_by_default():
    """Without a count it is twelve of each."""
    order = list(sampled([("a", range(24)), ("b", range(24))]))

    assert [item for _, item in order[:24]] == [*range(0, 24, 2), *range(0, 24, 2)]


def test_nothing_is_asked_for_before_its_turn():
    """Sources and items may be made while the work goes on: one is taken at a time."""
    taken = []

    def items(name):
        for number in range(3):
            taken.append(f"{name}{number}")
            yield number

    order = sampled(((name, items(name)) for name in "ab"), count=1)
    next(order)
    assert taken == ["a0"]
    next(order)
    assert taken == ["a0", "b0"]


@pytest.mark.parametrize("count", [0, 1, 5, 12, 40])
@pytest.mark.parametrize("sizes", [[], [0], [3, 0, 30, 12, 13]])
def test_every_item_comes_once(sizes, count):
    """Nothing is lost or doubled."""
    order = list(sampled(((name, range(size)) for name, size in enumerate(sizes)), count))

    assert [sorted(item for one, item in order if one == name) for name in range(len(sizes))] == [
        list(range(size)) for size in sizes
    ]
