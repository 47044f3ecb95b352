"""What authorises does not reach the stored bytes, by whatever way it comes."""

import pytest
from recorder.stored import everything

SECRET = "hunter2hunter2"
URL = f"https://user:{SECRET}@host/x?X-Amz-Signature={SECRET}&a=1"


class Carrier:
    def __str__(self):
        return URL


def fail():
    raise ConnectionError(f"GET {URL} failed")


WAYS = {
    "path": lambda run, source: source.file_done(URL, bytes=1),
    "bytes path": lambda run, source: source.file_done(URL.encode(), bytes=1),
    "object path": lambda run, source: source.file_done(Carrier(), bytes=1),
    "seconds": lambda run, source: source.file_done("x", bytes=1, seconds=URL),
    "skipped": lambda run, source: source.file_skipped(URL, URL),
    "wait": lambda run, source: run.waiting(URL),
    "error": lambda run, source: run.error(URL, path=URL, source=URL),
    "phase": lambda run, source: run.phase(URL, URL, URL),
    "source": lambda run, source: run.source(URL).file_done("x", bytes=1),
    "fields": lambda run, source: run.emit("note", a={"b": [URL]}, c=Carrier(), d={URL: 1}),
    "message": lambda run, source: run.finish("failed", URL),
    "in flight": lambda run, source: source.file(URL).__enter__().advance(1),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_not_stored(way, local_root, start, monkeypatch):
    """User information and signatures in URLs are hidden before anything is stored."""
    monkeypatch.setattr("journal.recorder.pump.PROGRESS_SECONDS", 0)
    run = start(local_root, params={"url": URL}, heartbeat_seconds=0.2)
    with run.source("a") as source:
        WAYS[way](run, source)
    run.flush(60)
    run.finish()

    assert b"***" in everything(local_root)
    assert SECRET.encode() not in everything(local_root)


def test_a_secret_in_an_exception_is_not_stored(local_root, start):
    """Message and traceback of an exception are hidden in the same way."""
    with pytest.raises(ConnectionError), start(local_root) as run, run.source("a").file("x"):
        fail()

    assert b"in fail" in everything(local_root)
    assert SECRET.encode() not in everything(local_root)
