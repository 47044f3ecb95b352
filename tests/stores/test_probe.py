"""What the probe finds out, on real servers and on stores that each break one promise."""

import os
import time

import pytest

from journal.errors import Conflict, Denied, Refused, Unavailable
from journal.limits import PROBE_DAYS
from journal.stores import ABSENT, Found, Version, connect
from journal.stores import probe as probe_module
from journal.stores.memory import MemoryStore
from journal.stores.probe import ensure_probed, probe


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """Racers send again at once."""
    monkeypatch.setattr(probe_module, "_RACER_PAUSE_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache directory of the test's own, that does not exist yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "progress-journal"


class CreatesTwice(MemoryStore):
    """Ignores that something is there already."""

    def put(self, key, body, *, expect):
        found = self.get(key)
        there = expect is ABSENT and isinstance(found, Found)
        return super().put(key, body, expect=found.version if there else expect)


class LooksThenPuts(MemoryStore):
    """Honours conditions one after the other only: it looks, and puts a while later."""

    def put(self, key, body, *, expect):
        if isinstance(self.get(key), Found) is (expect is ABSENT):
            raise Conflict(key)
        time.sleep(0.02)
        found = self.get(key)
        lost = expect is ABSENT and isinstance(found, Found)
        return super().put(key, body, expect=found.version if lost else expect)


class IgnoresVersions(MemoryStore):
    """Rewrites whatever is there."""

    def put(self, key, body, *, expect):
        found = self.get(key)
        rewrite = expect is not ABSENT and isinstance(found, Found)
        return super().put(key, body, expect=found.version if rewrite else expect)


class KnowsNoVersion(MemoryStore):
    """Holds no version equal to its own, as where quotes are left on."""

    def put(self, key, body, *, expect):
        return super().put(key, body, expect=expect if expect is ABSENT else Version(f"{expect}x"))


class CreatesOnRewrite(MemoryStore):
    """Takes a rewrite of what is not there for a create."""

    def put(self, key, body, *, expect):
        there = isinstance(self.get(key), Found)
        return super().put(key, body, expect=expect if there else ABSENT)


class ReadsStale(MemoryStore):
    """Answers with the object as it was when first read."""

    def put(self, key, body, *, expect):
        put = super().put(key, body, expect=expect)
        self.stale = getattr(self, "stale", None) or super().get(key)
        return put

    def get(self, key, *, start=0, unless=None):
        return self.stale


class KnowsNoRanges(MemoryStore):
    """Sends the whole object whatever was asked."""

    def get(self, key, *, start=0, unless=None):
        return super().get(key, unless=unless)


class SendsUnchanged(MemoryStore):
    """Sends the object though its version is known."""

    def get(self, key, *, start=0, unless=None):
        return super().get(key, start=start)


class KnowsNoRewrites(MemoryStore):
    """Refuses a condition that it does not know, as Swift does."""

    def put(self, key, body, *, expect):
        if expect is not ABSENT:
            raise Refused("501 NotImplemented")
        return super().put(key, body, expect=expect)


class Unsure(MemoryStore):
    """Answers 409 to a create's first attempt, applied or not, and the truth to the second."""

    def __init__(self, *, apply: bool) -> None:
        super().__init__()
        self.apply = apply
        self.asked = set()

    def put(self, key, body, *, expect):
        if "/race" not in key or (key, body) in self.asked:
            return super().put(key, body, expect=expect)
        self.asked.add((key, body))
        if self.apply:
            super().put(key, body, expect=expect)
        raise Unavailable("409")


class Down(MemoryStore):
    """Answers nothing, from a certain object on."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self.part = part

    def put(self, key, body, *, expect):
        if self.part in key:
            raise Unavailable("no answer")
        return super().put(key, body, expect=expect)


class Unwritable(MemoryStore):
    """Gives no right to put."""

    def put(self, key, body, *, expect):
        raise Denied("give these credentials s3:PutObject")


class KeepsAll(MemoryStore):
    """Gives no right to delete."""

    def delete(self, key):
        raise Refused("403 AccessDenied")


class Named(MemoryStore):
    """Has an identity, as a server has, and counts what is put."""

    def __init__(self, identity="http://127.0.0.1:1/bucket"):
        super().__init__()
        self.identity = identity
        self.puts = 0

    def put(self, key, body, *, expect):
        self.puts += 1
        return super().put(key, body, expect=expect)


def test_a_store_that_keeps_its_promises_passes(store):
    """Memory, a directory, moto and SeaweedFS may hold a journal; nothing is left behind."""
    probe(store)

    assert list(store.list("")) == []


def test_a_server_that_ignores_conditions_is_refused(rclone_url):
    """rclone is refused, and the line says at which step."""
    with pytest.raises(Refused, match=r"step 'create twice' failed: .* ignores the condition"):
        probe(connect(rclone_url))


@pytest.mark.parametrize(
    ("broken", "step"),
    [
        (CreatesTwice, "create twice"),
        (LooksThenPuts, "race of 4 creates"),
        (IgnoresVersions, "rewrite with a wrong version"),
        (KnowsNoVersion, "rewrite with the right version"),
        (KnowsNoRewrites, "rewrite with the right version"),
        (CreatesOnRewrite, "rewrite of a missing object"),
        (ReadsStale, "read after overwrite"),
        (KnowsNoRanges, "ranged conditional read"),
        (SendsUnchanged, "ranged conditional read"),
    ],
)
def test_a_broken_promise_is_refused_by_its_step(broken, step):
    """Each promise is tried, and the one line names the step that failed."""
    with pytest.raises(Refused, match=f"probe step '{step}' failed") as caught:
        probe(broken())

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", [CreatesTwice, LooksThenPuts, KnowsNoRewrites])
def test_a_failed_probe_cleans_up(broken):
    """What it tried with is deleted, however it ends."""
    store = broken()

    with pytest.raises(Refused):
        probe(store)

    assert list(store.list("")) == []


def test_a_refusal_of_the_store_keeps_its_reason():
    """What the server said is in the line, after the step."""
    with pytest.raises(Refused, match=r"'rewrite with the right version' failed: 501 NotImpl"):
        probe(KnowsNoRewrites())


def test_a_missing_right_says_nothing_of_the_store():
    """It passes through as it is: the store may well be sound."""
    with pytest.raises(Denied, match=r"^give these credentials s3:PutObject$"):
        probe(Unwritable())


def test_a_store_without_the_right_to_delete_passes():
    """Cleaning up is a courtesy."""
    probe(KeepsAll())


def test_losers_that_are_told_409_lost():
    """They send again, as a writer does, and are told so then."""
    probe(Unsure(apply=False))


def test_a_winner_whose_answer_was_lost_is_no_fault():
    """None is told that it won, and what lies there is of one that was told nothing."""
    probe(Unsure(apply=True))


@pytest.mark.parametrize("part", ["/object", "/missing", "/race"])
def test_a_store_that_is_down_is_not_judged(part):
    """Unavailable passes through as it is, whatever the step."""
    with pytest.raises(Unavailable, match=r"^no answer$"):
        probe(Down(part))


def test_a_store_is_probed_once(cache):
    """A passed probe is remembered in the user's cache."""
    ensure_probed(Named())
    again = Named()

    ensure_probed(again)

    assert (again.puts, len(list(cache.iterdir()))) == (0, 1)


def test_another_bucket_is_probed_for_itself():
    """What is remembered is the endpoint and the bucket."""
    ensure_probed(Named("http://127.0.0.1:1/bucket"))
    other = Named("http://127.0.0.1:1/other")

    ensure_probed(other)

    assert other.puts > 0


@pytest.mark.parametrize("days", [PROBE_DAYS + 1, -1])
def test_a_probe_is_remembered_for_a_while(cache, days):
    """After 30 days, or when the clock went back behind it, a store is probed again."""
    ensure_probed(Named())
    (passed,) = cache.iterdir()
    then = time.time() - days * 86400
    os.utime(passed, (then, then))
    again = Named()

    ensure_probed(again)

    assert again.puts > 0


def test_a_failed_probe_is_not_remembered(cache):
    """A store that was refused is tried again when it was mended."""
    broken = CreatesTwice()
    broken.identity = "http://127.0.0.1:1/bucket"

    with pytest.raises(Refused):
        ensure_probed(broken)

    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    """A store is probed each time then, and nothing fails."""
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    ensure_probed(Named())
    again = Named()

    ensure_probed(again)

    assert again.puts > 0


@pytest.mark.parametrize("kind", ["memory", "local"])
def test_our_own_stores_need_no_probe(tmp_path, cache, kind):
    """A directory or memory is of our own making."""
    ensure_probed({"memory": MemoryStore(), "local": connect(str(tmp_path / "root"))}[kind])

    assert not cache.exists()


def test_an_s3_root_is_remembered_by_its_bucket(moto_url, cache):
    """Two roots in one bucket are probed once, and nothing of it stays in the bucket."""
    ensure_probed(connect(moto_url))

    ensure_probed(connect(f"{moto_url}/another"))

    assert (len(list(cache.iterdir())), list(connect(moto_url).list(""))) == (1, [])
