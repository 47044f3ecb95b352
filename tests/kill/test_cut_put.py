"""A client that dies in the middle of a put leaves the old object as it was."""

import signal
from pathlib import Path

import pytest
from recorder.processes import python
from recorder.stored import body

from journal.stores import ABSENT, connect

CUT_PUT = Path(__file__).with_name("cut_put.py")


@pytest.mark.parametrize("sent", ["0", "1", "50000"])
@pytest.mark.parametrize("url", ["moto_url", "weed_url"])
def test_a_put_that_is_cut_leaves_the_old_object(url, sent, request, spawn):
    """Killed behind the headers, behind a byte or in the middle: what was there is still there."""
    root = request.getfixturevalue(url)
    connect(root).put("run-1/object", b"first\n", expect=ABSENT)
    child = spawn(python(CUT_PUT, root, "run-1/object", sent))

    assert child.wait() == -signal.SIGKILL, child.err
    assert body(root, "run-1/object") == b"first\n"
