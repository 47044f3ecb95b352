"""What every store keeps: one suite over memory, a directory, moto and SeaweedFS."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from journal.errors import Conflict
from journal.stores import ABSENT, Absent, Found, Store, Unchanged, Version

KEY = "run-1/journal/stream=main/0000000000.jsonl"


def keys(entries):
    return [entry.key for entry in entries]


def create_all(store: Store, *names: str) -> None:
    for name in names:
        store.put(name, name.encode(), expect=ABSENT)


def test_an_object_that_was_never_put_is_absent(store):
    """A get of a key that nobody put answers Absent."""
    assert isinstance(store.get(KEY), Absent)


def test_what_was_put_is_got(store):
    """A get answers the body, version and size of the put."""
    put = store.put(KEY, b"one\n", expect=ABSENT)

    found = store.get(KEY)

    assert (found.body, found.version, found.size) == (b"one\n", put.version, 4)


def test_an_empty_object_is_an_object(store):
    """An object of no bytes, as those of an index, is found and is not absent."""
    store.put("_index/runs/8000000000000.run-1", b"", expect=ABSENT)

    found = store.get("_index/runs/8000000000000.run-1")

    assert (found.body, found.size) == (b"", 0)


def test_an_object_is_created_once(store):
    """A put that expects nothing to be there is a conflict if something is."""
    store.put(KEY, b"one\n", expect=ABSENT)

    with pytest.raises(Conflict):
        store.put(KEY, b"two\n", expect=ABSENT)

    assert store.get(KEY).body == b"one\n"


def test_creating_the_very_same_again_is_a_conflict(store):
    """Equal content is no excuse: a writer must learn that it was not the one who created it."""
    store.put(KEY, b"one\n", expect=ABSENT)

    with pytest.raises(Conflict):
        store.put(KEY, b"one\n", expect=ABSENT)


def test_an_object_is_rewritten_with_its_version(store):
    """A put that expects the present version replaces the object."""
    first = store.put(KEY, b"one\n", expect=ABSENT)

    second = store.put(KEY, b"one\ntwo\n", expect=first.version)

    found = store.get(KEY)
    assert (found.body, found.version) == (b"one\ntwo\n", second.version)


def test_other_content_has_another_version(store):
    """A version names one state: the versions before and after a rewrite differ."""
    first = store.put(KEY, b"one\n", expect=ABSENT)

    second = store.put(KEY, b"two\n", expect=first.version)

    assert first.version != second.version


def test_a_former_version_is_a_conflict(store):
    """A put that expects what was there before is refused and changes nothing."""
    first = store.put(KEY, b"one\n", expect=ABSENT)
    store.put(KEY, b"two\n", expect=first.version)

    with pytest.raises(Conflict):
        store.put(KEY, b"three\n", expect=first.version)

    assert store.get(KEY).body == b"two\n"


def test_a_rewrite_of_an_absent_object_is_a_conflict(store):
    """A put that expects a version creates nothing."""
    with pytest.raises(Conflict):
        store.put(KEY, b"one\n", expect=Version("d41d8cd98f00b204e9800998ecf8427e"))

    assert isinstance(store.get(KEY), Absent)


def test_one_of_several_creates_wins(store):
    """Of four creates at once one is applied, and three are conflicts."""
    gate = Barrier(4)

    def create(number: int) -> str:
        gate.wait()
        try:
            store.put(KEY, b"racer %d" % number, expect=ABSENT)
        except Conflict:
            return "lost"
        return "won"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(create, range(4)))

    assert outcomes == ["lost", "lost", "lost", "won"]


def test_one_of_several_rewrites_wins(store):
    """Of four rewrites of one version at once one is applied, and three are conflicts."""
    version = store.put(KEY, b"start", expect=ABSENT).version
    gate = Barrier(4)

    def rewrite(number: int) -> str:
        gate.wait()
        try:
            store.put(KEY, b"racer %d" % number, expect=version)
        except Conflict:
            return "lost"
        return "won"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(rewrite, range(4)))

    assert outcomes == ["lost", "lost", "lost", "won"]


@pytest.mark.parametrize(
    ("start", "rest"),
    [(0, b"0123456789"), (1, b"123456789"), (9, b"9"), (10, b""), (11, b""), (4096, b"")],
)
def test_a_get_from_a_byte_on_gives_the_rest(store, start, rest):
    """The body begins at `start` and is empty from the end on; version and size are the whole's."""
    put = store.put(KEY, b"0123456789", expect=ABSENT)

    found = store.get(KEY, start=start)

    assert (found.body, found.version, found.size) == (rest, put.version, 10)


@pytest.mark.parametrize("start", [0, 1, 7])
def test_a_get_in_an_empty_object_is_empty(store, start):
    """No byte can be asked for in an object of none, and it is found all the same."""
    store.put(KEY, b"", expect=ABSENT)

    assert store.get(KEY, start=start).size == 0


@pytest.mark.parametrize("start", [0, 1, 3, 4, 99])
def test_an_object_that_has_the_version_is_unchanged(store, start):
    """With the present version as `unless`, nothing is sent, wherever the get starts."""
    version = store.put(KEY, b"one\n", expect=ABSENT).version

    assert isinstance(store.get(KEY, start=start, unless=version), Unchanged)


def test_an_object_that_grew_is_sent_from_the_byte_asked_for(store):
    """With a former version as `unless`, the get is as without."""
    first = store.put(KEY, b"one\n", expect=ABSENT)
    second = store.put(KEY, b"one\ntwo\n", expect=first.version)

    found = store.get(KEY, start=4, unless=first.version)

    assert (found.body, found.version, found.size) == (b"two\n", second.version, 8)


def test_an_absent_object_is_absent_whatever_is_asked(store):
    """A range and a condition change nothing about an object that is not there."""
    unless = Version("d41d8cd98f00b204e9800998ecf8427e")

    assert isinstance(store.get(KEY, start=5, unless=unless), Absent)


@pytest.mark.parametrize("body", [b"\r\n\x00\xff\xfe", "grüße\n".encode(), b"x" * 300_000])
def test_bytes_come_back_as_they_went(store, body):
    """Nothing is decoded, added or cut."""
    store.put(KEY, body, expect=ABSENT)

    assert store.get(KEY).body == body


@pytest.mark.parametrize("key", ["run-1/a b+c%41&d=e?f#g", "run-1/~!$'()*,;:@[]{}|^`\"<>"])
def test_a_key_of_unusual_characters_is_a_key(store, key):
    """A key is found and listed under the very name it was put with."""
    store.put(key, b"here", expect=ABSENT)

    assert (store.get(key).body, keys(store.list("run-1/"))) == (b"here", [key])


def test_a_deleted_object_is_absent(store):
    """After a delete the key is free again."""
    store.put(KEY, b"one\n", expect=ABSENT)

    store.delete(KEY)

    assert isinstance(store.get(KEY), Absent)


def test_a_deleted_object_can_be_created_again(store):
    """A delete leaves nothing in the way of a create."""
    store.put(KEY, b"one\n", expect=ABSENT)
    store.delete(KEY)

    store.put(KEY, b"two\n", expect=ABSENT)

    assert store.get(KEY).body == b"two\n"


def test_a_delete_of_nothing_is_no_error(store):
    """A delete says what shall be, not what was."""
    store.delete(KEY)

    assert isinstance(store.get(KEY), Absent)


def test_a_listing_of_nothing_is_empty(store):
    """No object, no entry, no error."""
    assert keys(store.list("run-1/")) == []


def test_a_listing_has_keys_versions_and_sizes(store):
    """An entry tells of an object what a get would."""
    put = store.put(KEY, b"one\n", expect=ABSENT)

    (entry,) = store.list("run-1/")

    assert (entry.key, entry.version, entry.size) == (KEY, put.version, 4)


def test_an_entry_tells_when_the_object_was_written(store):
    """The time is the store's; S3 knows it to the second."""
    put = store.put(KEY, b"one\n", expect=ABSENT)

    (entry,) = store.list("run-1/")

    assert entry.modified == pytest.approx(put.store_time, abs=2)


def test_a_flat_listing_is_in_byte_order(store):
    """Names in one folder come in the order of their bytes: segments and runs are found so."""
    create_all(store, "r/10", "r/9", "r/a", "r/B", "r/a-b", "r/_c")

    assert keys(store.list("r/")) == ["r/10", "r/9", "r/B", "r/_c", "r/a", "r/a-b"]


def test_a_listing_goes_down_all_the_way(store):
    """Without a delimiter all objects under the prefix come, and none beside it."""
    create_all(store, "r/a/x", "r/a/b/y", "r/z", "s/other")

    assert sorted(keys(store.list("r/"))) == ["r/a/b/y", "r/a/x", "r/z"]


def test_a_prefix_may_end_within_a_name(store):
    """A prefix is the beginning of a key, not a folder."""
    create_all(store, "r/ab1", "r/ab2", "r/ac")

    assert keys(store.list("r/ab")) == ["r/ab1", "r/ab2"]


def test_a_listing_goes_on_after_a_key(store):
    """Only keys greater than `after` come."""
    create_all(store, "r/1", "r/2", "r/3", "r/4")

    assert keys(store.list("r/", after="r/2")) == ["r/3", "r/4"]


@pytest.mark.parametrize(
    ("after", "expected"),
    [("", ["r/1", "r/3"]), ("a", ["r/1", "r/3"]), ("r/2", ["r/3"]), ("r/3", []), ("z", [])],
)
def test_after_need_not_be_a_key(store, after, expected):
    """`after` is a place in the order, and may lie before, between or behind the keys."""
    create_all(store, "r/1", "r/3")

    assert keys(store.list("r/", after=after)) == expected


def test_a_delimiter_folds_folders_into_one_entry_each(store):
    """With a delimiter a folder is one entry without a version, whatever is in it."""
    create_all(store, "run-1/journal/a", "run-1/journal/b", "run-1/metadata.json", "run-2/x")

    entries = list(store.list("run-1/", delimiter="/"))

    assert [(entry.key, entry.version is None) for entry in entries] == [
        ("run-1/journal/", True),
        ("run-1/metadata.json", False),
    ]


def test_a_delimiter_at_the_top_gives_the_runs(store):
    """The folders of the root are listed with an empty prefix."""
    create_all(store, "run-1/metadata.json", "run-2/a/b", "run-10/c")

    assert keys(store.list("", delimiter="/")) == ["run-1/", "run-10/", "run-2/"]


def test_a_folder_is_passed_if_after_names_it(store):
    """With a delimiter `after` may be the last entry that was seen."""
    create_all(store, "run-1/x", "run-2/x", "run-3/x")

    assert keys(store.list("", after="run-2/", delimiter="/")) == ["run-3/"]


@pytest.mark.parametrize("store", ["memory", "local", "moto"], indirect=True)
def test_a_folder_that_was_emptied_is_no_entry(store):
    """A folder is nothing but its objects. (SeaweedFS clears folders away later.)"""
    create_all(store, "run-1/journal/x", "run-2/y")
    store.delete("run-1/journal/x")

    assert keys(store.list("", delimiter="/")) == ["run-2/"]


@pytest.mark.parametrize("answer", ["put", "found", "unchanged", "absent"])
def test_every_answer_carries_the_store_s_time(store, answer):
    """The time of the reply is the store's, exact to the second at least."""
    put = store.put(KEY, b"one\n", expect=ABSENT)
    answers = {
        "put": lambda: put,
        "found": lambda: store.get(KEY),
        "unchanged": lambda: store.get(KEY, unless=put.version),
        "absent": lambda: store.get("run-1/none"),
    }

    assert answers[answer]().store_time == pytest.approx(time.time(), abs=3)


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.b", "a\0b", "a\nb", "a\\b", "/etc"]
)
def test_an_ill_formed_key_is_the_caller_s_mistake(store, key):
    """Keys that are empty, absolute, or lead out of the root are never sent."""
    with pytest.raises(ValueError, match="is not allowed"):
        store.put(key, b"out", expect=ABSENT)


@pytest.mark.parametrize("key", ["../a", "a/../../b", "/etc/passwd"])
def test_an_ill_formed_key_is_not_read_either(store, key):
    """A get is held to the same keys."""
    with pytest.raises(ValueError, match="is not allowed"):
        store.get(key)


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//", "/etc/", "a\n"])
def test_an_ill_formed_prefix_is_the_caller_s_mistake(store, prefix):
    """No listing leads out of the root."""
    with pytest.raises(ValueError, match="no key can begin"):
        store.list(prefix)


def test_a_delimiter_is_a_slash(store):
    """Other delimiters are not needed, so no store has to have them."""
    with pytest.raises(ValueError, match="delimiter"):
        store.list("", delimiter="-")


def test_a_start_before_the_beginning_is_the_caller_s_mistake(store):
    """Bytes are counted from 0."""
    with pytest.raises(ValueError, match="start -1"):
        store.get(KEY, start=-1)


def test_a_found_object_is_a_found_object(store):
    """The three answers of a get are three types."""
    store.put(KEY, b"one\n", expect=ABSENT)

    assert isinstance(store.get(KEY), Found)
