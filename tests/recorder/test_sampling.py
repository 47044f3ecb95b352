"""The order of work that tells early what each source costs."""

import pytest

from journal import sampled


def test_a_few_of_each_source_come_first():
    """First `count` items of each source in turn, then the rest source by source."""
    order = sampled([("a", "1234"), ("b", "56"), ("c", "789")], count=2)

    assert "".join(item for _, item in order) == "125678349"


def test_each_item_comes_with_its_source():
    """What is yielded tells whose it is."""
    assert list(sampled({"a": [1, 2], "b": [3]}.items(), count=1)) == [
        ("a", 1),
        ("b", 3),
        ("a", 2),
    ]


def test_a_dozen_is_taken_by_default():
    """Without a count it is twelve of each."""
    order = list(sampled([("a", range(20)), ("b", range(20))]))

    assert [item for _, item in order[:24]] == [*range(12), *range(12)]


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
def test_every_item_comes_once_and_in_its_order(sizes, count):
    """Nothing is lost or doubled, and of one source the order stays."""
    order = list(sampled(((name, range(size)) for name, size in enumerate(sizes)), count))

    assert [[item for one, item in order if one == name] for name in range(len(sizes))] == [
        list(range(size)) for size in sizes
    ]
