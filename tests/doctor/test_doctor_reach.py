"""What the doctor says of an endpoint that is not there, hangs, or lies behind a proxy."""

import socket
import time

import pytest

from journal.doctor import examine, reach
from journal.stores import connect

DEAD = "http://127.0.0.1:1"  # nobody listens on port 1


def levels(url):
    return {one.check: one.level for one in reach.examine(url)}


def remote(root="s3://bucket/training-runs"):
    return list(examine(connect(root)))


def test_a_host_without_an_address():
    """A name that nobody knows is the first thing that can be wrong."""
    assert levels("http://no-such-host.invalid") == {"address": "bad"}


def test_a_name_that_cannot_be_one():
    """Nor is a name that no service can look up a crash."""
    assert levels(f"http://{'a' * 70}.invalid") == {"address": "bad"}


def test_a_port_that_nobody_listens_on():
    """The address is right, and nothing runs there."""
    assert levels(DEAD) == {"address": "ok", "connect": "bad"}


def test_a_black_hole(monkeypatch):
    """What swallows connections costs one wait, bounded."""
    monkeypatch.setattr(reach, "CONNECT_SECONDS", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        # Whoever does not fit into the queue is not answered at all.
        with socket.create_connection(full.getsockname()):
            waiting = [socket.socket() for _ in range(3)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            (*_, finding) = reach.examine(url)
            for one in waiting:
                one.close()

    assert (finding.check, finding.level) == ("connect", "bad")
    assert "nothing for 0 s" in finding.says


@pytest.mark.parametrize(
    ("url", "proxy", "expected"),
    [
        (DEAD, "http://me:secret@proxy.example:3128", {"address": "note"}),
        (DEAD, "proxy.example:3128", {"address": "note"}),
    ],
)
def test_a_proxy(monkeypatch, url, proxy, expected):
    """What lies behind a proxy only the proxy can look up; its password is nobody's business."""
    monkeypatch.setenv("http_proxy", proxy)
    (finding,) = reach.examine(url)

    assert {finding.check: finding.level} == expected
    assert "the proxy proxy.example:3128" in finding.says
    assert "secret" not in finding.says


def test_an_endpoint_that_is_no_proxy_s_business(monkeypatch):
    """An endpoint that the proxy is not for is looked up here."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert levels(DEAD) == {"address": "ok", "connect": "bad"}


def test_a_server_that_says_nothing(canned, monkeypatch):
    """It takes the connection and never answers: one wait, then nothing more is asked of it."""
    monkeypatch.setattr("journal.stores.s3.READ_SECONDS", 0.3)
    canned.status = -1
    began = time.monotonic()
    found = {one.check: one.level for one in remote()}

    assert found == {"address": "ok", "connect": "ok", "answer": "bad"}
    assert len(canned.requests) == 1
    assert time.monotonic() - began < 20


def test_a_server_that_falls_silent(canned, monkeypatch):
    """It answers at first: then, too, one wait ends it."""
    monkeypatch.setattr("journal.stores.s3.READ_SECONDS", 0.3)
    canned.statuses = [200]
    canned.status = -1
    found = [(one.check, one.level) for one in remote()]

    assert found[-1] == ("answer", "bad")
    assert len(canned.requests) == 2


def test_no_credentials(moto_server, monkeypatch):
    """Nothing is asked without them; the remedy says how to give some."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_server.endpoint)
    (*_, finding) = remote()

    assert (finding.check, finding.level) == ("store", "bad")
    assert finding.remedy.startswith("set AWS_ACCESS_KEY_ID")


def test_a_password_in_the_endpoint_is_not_shown(monkeypatch):
    """A careless endpoint holds one; no finding repeats it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://me:hush@127.0.0.1:1")
    found = remote()

    assert [one.level for one in found] == ["ok", "bad"]
    assert "hush" not in repr(found)


def test_an_endpoint_that_is_none(monkeypatch):
    """Set-up that cannot be right is a finding, not a crash."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "not an endpoint")
    found = remote()

    assert [(one.check, one.level) for one in found] == [("store", "bad")]
