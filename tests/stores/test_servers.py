"""What real servers answer to the bare requests that the protocol stands on.

The table of the design's section on writing, for the servers that run here. A change of any of
these is news: it may widen, or narrow, the circle of servers that can hold a journal.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from journal.stores import ABSENT, connect

KEY = "run-1/object"
WRONG = "d41d8cd98f00b204e9800998ecf8427e"


@dataclass
class Bare:
    """A bucket of its own and a bare client that tells statuses."""

    client: Any
    bucket: str

    def status(self, operation: str, **request: Any) -> int:
        try:
            reply = getattr(self.client, operation)(Bucket=self.bucket, **request)
        except ClientError as error:
            reply = error.response
        return reply["ResponseMetadata"]["HTTPStatusCode"]

    def put(self, body: bytes, key: str = KEY, **condition: str) -> int:
        return self.status("put_object", Key=key, Body=body, **condition)

    def etag(self) -> str:
        return self.client.head_object(Bucket=self.bucket, Key=KEY)["ETag"]

    def body(self) -> bytes:
        return self.client.get_object(Bucket=self.bucket, Key=KEY)["Body"].read()


@pytest.fixture
def bare(request):
    """The server that a test names."""
    server = request.getfixturevalue(f"{request.param}_server")
    return Bare(server.client, server.bucket())


def answers(**statuses: Any):
    """Run a test on each server with what that one answers."""
    return pytest.mark.parametrize(("bare", "expected"), list(statuses.items()), indirect=["bare"])


@answers(moto=412, weed=412, rclone=200)
def test_a_create_of_what_is_there(bare, expected):
    """`If-None-Match: *` on an existing key."""
    bare.put(b"one")

    assert bare.put(b"two", IfNoneMatch="*") == expected


@answers(moto=[200, 412, 412, 412], weed=[200, 412, 412, 412])
def test_a_race_of_creates(bare, expected):
    """Of four at once, one wins."""
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda n: bare.put(b"%d" % n, IfNoneMatch="*"), range(4)))

    assert sorted(statuses) == expected


@answers(moto=200, weed=200, rclone=200)
def test_a_rewrite_with_the_right_version(bare, expected):
    """`If-Match` with the object's ETag as the server gave it."""
    bare.put(b"one")

    assert bare.put(b"two", IfMatch=bare.etag()) == expected


@answers(moto=200, weed=200, rclone=200)
def test_a_rewrite_with_the_version_without_quotes(bare, expected):
    """`If-Match` with the bare ETag, as the store sends it."""
    bare.put(b"one")

    assert bare.put(b"two", IfMatch=bare.etag().strip('"')) == expected


@answers(moto=412, weed=412, rclone=200)
def test_a_rewrite_with_a_wrong_version(bare, expected):
    """`If-Match` with another ETag."""
    bare.put(b"one")

    assert bare.put(b"two", IfMatch=WRONG) == expected


@answers(moto=404, weed=412, rclone=200)
def test_a_rewrite_of_what_is_not_there(bare, expected):
    """`If-Match` on a missing key: both answers mean the same."""
    assert bare.put(b"one", IfMatch=WRONG) == expected


@answers(moto=416, weed=416, rclone=416)
def test_a_range_that_begins_at_the_end(bare, expected):
    """`bytes=N-` of an object of N bytes."""
    bare.put(b"0123456789")

    assert bare.status("get_object", Key=KEY, Range="bytes=10-") == expected


@answers(moto=206, weed=206, rclone=200)
def test_a_range_that_begins_at_the_last_byte(bare, expected):
    """What the store asks for instead; rclone sends the part and calls it the whole."""
    bare.put(b"0123456789")

    assert bare.status("get_object", Key=KEY, Range="bytes=9-") == expected


@answers(moto=304, weed=304, rclone=304)
def test_a_range_of_an_object_that_is_known(bare, expected):
    """A range and `If-None-Match` with the object's ETag: nothing is sent."""
    bare.put(b"0123456789")

    status = bare.status("get_object", Key=KEY, Range="bytes=9-", IfNoneMatch=bare.etag())

    assert status == expected


@answers(moto=[412, b"one"], weed=[412, b"one"], rclone=[204, None])
def test_a_delete_with_a_wrong_version(bare, expected):
    """`If-Match` on DELETE: never relied on."""
    bare.put(b"one")

    status = bare.status("delete_object", Key=KEY, IfMatch=WRONG)

    left = bare.body() if bare.status("head_object", Key=KEY) == 200 else None
    assert [status, left] == expected


@answers(moto=[200, b"tail"], weed=[200, b"tail"], rclone=[200, b"tail"])
def test_an_append_by_offset_overwrites(bare, expected):
    """`WriteOffsetBytes` is answered 200 and replaces the object: never append that way."""
    bare.put(b"0123456789")

    status = bare.status("put_object", Key=KEY, Body=b"tail", WriteOffsetBytes=10)

    assert [status, bare.body()] == expected


@answers(
    moto=["r/a-", "r/a.b", "r/a/c", "r/a0"],
    weed=["r/a/c", "r/a-", "r/a.b", "r/a0"],
    rclone=["r/a-", "r/a.b", "r/a/c", "r/a0"],
)
def test_the_order_of_a_listing_across_folders(bare, expected):
    """By bytes, or folder by folder: never relied on across `/`."""
    statuses = [bare.put(b"", key=key) for key in ("r/a/c", "r/a.b", "r/a0", "r/a-")]

    listed = bare.client.list_objects_v2(Bucket=bare.bucket, Prefix="r/")["Contents"]

    assert (statuses, [one["Key"] for one in listed]) == ([200] * 4, expected)


@pytest.mark.parametrize("server", ["moto_url", "weed_url"])
def test_a_put_after_an_empty_one_is_answered_at_once(request, server):
    """An empty object, as of an index, does not spoil the connection for the next put."""
    store = connect(request.getfixturevalue(server))
    store.put("_index/runs/1", b"", expect=ABSENT)

    store.put("run-1/object", b"one", expect=ABSENT)

    assert store.get("run-1/object").body == b"one"
