"""A store in S3, or in what speaks its protocol. The only file that talks to botocore.

The client never tries again by itself: the journal's own loop does, or a writer could not tell its
own late write from another's. What an answer means is in `s3_errors`.
"""

import base64
import functools
import hashlib
import os
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import botocore.session
from botocore import exceptions as boto
from botocore.config import Config
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError  # botocore lets those of a body's reading through

from journal import clock
from journal.errors import Conflict, Refused, Unavailable
from journal.limits import CONNECT_SECONDS, READ_SECONDS
from journal.stores.connection import endpoint_of
from journal.stores.contract import (
    ABSENT,
    Absent,
    Entry,
    Expectation,
    Found,
    Put,
    Unchanged,
    Version,
)
from journal.stores.keys import check_key, check_listing, check_start
from journal.stores.s3_errors import CREDENTIALS, failure, one_line

_DEFAULT_REGION: Final = "us-east-1"  # servers other than AWS rarely ask; AWS says the right one
_QUOTED: Final = re.compile(r'(W/)?"[^"]+"')
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")

# What a request may raise beside ClientError, and which of it is no answer or half a one.
_TROUBLE: Final = (boto.BotoCoreError, ResponseParserError, HTTPError, OSError, ValueError)
_NO_ANSWER: Final = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    boto.ChecksumError,
    boto.FlexibleChecksumError,
    ResponseParserError,
    HTTPError,
    OSError,
)


class HeadersCut(ConnectionError):
    """An answer broke off before its body."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server answered: `code` and `message` are empty for a status below 300."""

    where: str
    status: int
    code: str
    message: str
    reply: dict[str, Any]
    body: bytes
    store_time: float

    def failure(self) -> Unavailable | Refused:
        return failure(self.where, self.status, self.code, self.message)


class S3Store:
    """Keeps objects in a bucket, under a prefix. Safe between threads, and after a fork.

    Endpoint, region, profile and credentials come from the standard AWS environment and files, and
    are read at the first request, so that set-up that is wrong is an error of that request.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""
        self._made: tuple[int, Any] | None = None  # the process that made the client, and it

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._root}".rstrip("/")

    @property
    def endpoint(self) -> str:
        """The endpoint that the environment names, without credentials; empty if it names none."""
        return endpoint_of(str(self))

    @property
    def identity(self) -> str:
        """The endpoint and the bucket: what a probe's result is about. Raises Refused."""
        try:
            endpoint = urlsplit(self._client().meta.endpoint_url)
        except _TROUBLE as error:
            raise self._trouble(str(self), error) from _unless_secret(error)
        # Without a user's name and password, which a careless endpoint may hold.
        return f"{endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}/{self._bucket}"

    def regions(self) -> tuple[str, str]:
        """Return the region that requests are signed for, and the bucket's; empty if none says.

        Raises Unavailable, or Refused if there is no such bucket.
        """
        answer = self._send("head_bucket")
        if answer.status == 404:
            raise failure(answer.where, 404, "NoSuchBucket", "")
        if answer.status >= 500:
            raise answer.failure()
        # The answer names the region even to those who may not know more of the bucket.
        headers = answer.reply.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return self._client().meta.region_name, headers.get("x-amz-bucket-region", "")

    def setting(self, name: str) -> dict[str, Any] | None:
        """Return how a setting of the bucket is set (`bucket_versioning`), None if it is not.

        Raises Unavailable or Refused; Denied if these credentials may not look.
        """
        answer = self._send(f"get_{name}")
        if answer.status < 300:
            return answer.reply
        if answer.status == 404 and answer.code != "NoSuchBucket":
            return None
        raise answer.failure()

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        """Return the object from byte `start` on, Unchanged if its version is `unless`.

        Raises Unavailable or Refused.
        """
        request: dict[str, Any] = {"Key": check_key(key)}
        if check_start(start):
            # One byte early: a range that begins at the end has no byte in it and is answered 416.
            request["Range"] = f"bytes={start - 1}-"
        if unless is not None:
            request["IfNoneMatch"] = unless
        answer = self._send("get_object", **request)
        if answer.status < 300:
            return _found(answer, start)
        if answer.status == 304:
            return Unchanged(answer.store_time)
        if answer.status == 416:
            return self._past_the_end(key, start, unless)
        if answer.status == 404 and answer.code == "NoSuchKey":
            return Absent(answer.store_time)
        raise answer.failure()

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        """Replace the object if its version is `expect`, create it if that is ABSENT.

        Raises Conflict, Unavailable or Refused.
        """
        request: dict[str, Any] = {"Key": check_key(key), "Body": body}
        request |= {"IfNoneMatch": "*"} if expect is ABSENT else {"IfMatch": expect}
        # Of a client that dies between its headers and its body, SeaweedFS keeps an empty object
        # in the place of the old one, unless it was told what hash to expect.
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        request["ContentMD5"] = base64.b64encode(digest).decode()
        answer = self._send("put_object", **request)
        if answer.status < 300:
            return Put(_version(answer), answer.store_time)
        if answer.status == 412 or (
            answer.status == 404 and answer.code != "NoSuchBucket" and expect is not ABSENT
        ):
            raise Conflict(f"{answer.where}: not what was expected ({answer.status})")
        raise answer.failure()

    def delete(self, key: str) -> None:
        """Delete the object if it is there. Raises Unavailable or Refused."""
        answer = self._send("delete_object", Key=check_key(key))
        if answer.status >= 300 and answer.code != "NoSuchKey":
            raise answer.failure()

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        """Yield what lies under `prefix` beyond `after`, one request for each 1,000 entries.

        Raises Unavailable or Refused.
        """
        check_listing(prefix, delimiter)
        request = {"Prefix": self._root + prefix}
        if delimiter:
            request["Delimiter"] = delimiter
        if after > prefix:
            if not after.startswith(prefix):
                return iter(())  # it sorts behind every key that begins so
            request["StartAfter"] = self._root + after
        return self._entries(request, after)

    def _entries(self, request: dict[str, str], after: str) -> Iterator[Entry]:
        skip = len(self._root)
        while True:
            answer = self._send("list_objects_v2", **request)
            if answer.status >= 300:
                raise answer.failure()
            if "IsTruncated" not in answer.reply:
                # A page of another kind has no entries either.
                raise Unavailable(f"{answer.where}: the answer is no listing; it may pass")
            page = [
                Entry(one["Key"][skip:], _bare(one["ETag"]), one["Size"], _seconds(one))
                for one in answer.reply.get("Contents", ())
            ]
            page += [
                Entry(one["Prefix"][skip:], None, 0, 0.0)
                for one in answer.reply.get("CommonPrefixes", ())
            ]
            # Servers differ over a common prefix that `after` lies in; its own text decides.
            yield from sorted((e for e in page if e.key > after), key=lambda e: e.key)
            if not answer.reply["IsTruncated"]:
                return
            if not answer.reply.get("NextContinuationToken"):
                raise Unavailable(f"{answer.where}: a page promises more and does not say where")
            request["ContinuationToken"] = answer.reply["NextContinuationToken"]

    def _past_the_end(
        self, key: str, start: int, unless: Version | None
    ) -> Found | Unchanged | Absent:
        """Find out about an object that a 416 said to be shorter than `start`."""
        answer = self._send("head_object", Key=key)
        if answer.status == 404:
            return Absent(answer.store_time)
        if answer.status >= 300:
            raise answer.failure()
        version, size = _version(answer), int(answer.reply["ContentLength"])
        if version == unless:
            return Unchanged(answer.store_time)
        if size > start:
            raise Unavailable(f"{answer.where}: the object changed while it was read")
        return Found(b"", version, size, answer.store_time)

    def _send(self, operation: str, **request: Any) -> _Answer:
        """Send one request and return what was answered; raise if nothing usable was."""
        verb = operation.partition("_")[0].upper()
        at = self._root + str(request.get("Key", ""))
        where = f"{verb} s3://{self._bucket}/{request.get('Prefix', at)}"
        if "Key" in request:
            request["Key"] = at
        try:
            reply = getattr(self._client(), operation)(Bucket=self._bucket, **request)
            body = reply["Body"].read() if operation == "get_object" else b""
        except boto.ClientError as error:
            return self._refused(where, error)
        except _TROUBLE as error:
            raise self._trouble(where, error) from _unless_secret(error)
        meta = reply["ResponseMetadata"]
        return _Answer(where, meta["HTTPStatusCode"], "", "", reply, body, _store_time(meta))

    def _refused(self, where: str, error: boto.ClientError) -> _Answer:
        said = error.response.get("Error", {})
        meta = error.response.get("ResponseMetadata", {})
        status, code = int(meta.get("HTTPStatusCode", 0)), str(said.get("Code", ""))
        if status == 403 or code == "ExpiredToken":
            # Credentials are read anew next time: a person, or another program, may renew them.
            self._made = None
        message = str(said.get("Message", ""))
        return _Answer(where, status, code, message, error.response, b"", _store_time(meta))

    def _trouble(self, where: str, error: Exception) -> Unavailable | Refused:
        trouble = _trouble(where, error)
        if isinstance(trouble, Refused):
            self._made = None
        return trouble

    def _client(self) -> Any:
        # Connections must not be shared with a forked parent: each would read the other's answers.
        # Two threads may both make a client here; either will do.
        made = self._made
        if made is None or made[0] != os.getpid():
            made = self._made = os.getpid(), _make_client()
        return made[1]


@functools.cache
def _models() -> Any:
    """Return botocore's loader of API models: reading them is most of what a client costs."""
    return create_loader(os.environ.get("AWS_DATA_PATH"))


def _make_client() -> Any:
    # A session of its own for each client: it is not safe between threads, and it reads the
    # environment as it is now.
    session = botocore.session.get_session()
    session.register_component("data_loader", _models())
    region = session.get_config_variable("region") or os.environ.get("AWS_REGION")
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        # Older servers do not know the newer checksums. Bodies are safe without: over the signature
        # on the way out, by their length and by the segments' own hashes on the way in.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        parameter_validation=False,
    )
    client = session.create_client("s3", region_name=region or _DEFAULT_REGION, config=config)
    client.meta.events.register("before-send.s3.PutObject", _send_at_once)
    client.meta.events.register("before-parse.s3", _check_headers)
    client.meta.events.register("before-call.s3.HeadBucket", _ask_the_region_once)
    return client


def _send_at_once(request: Any, **_: Any) -> None:
    """Send the body with the headers: bodies are small.

    Asking for "100 Continue" first costs a round trip, or a second with a server that does not
    answer it, and an empty body after it spoils the connection (botocore issue 3755).
    """
    request.headers.pop("Expect", None)


def _ask_the_region_once(context: dict[str, Any], **_: Any) -> None:
    """Keep botocore from following a redirect of the very request by which it follows redirects.

    What answers every request with a redirect, as login pages of networks do, would otherwise be
    asked hundreds of times, until the stack is used up.
    """
    context.get("s3_redirect", {})["redirected"] = True


def _check_headers(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """Take an answer that breaks off in its headers for none.

    The libraries take the end of a connection for that of the headers, and then for that of the
    body: without its length, which S3 says last, an object would be empty, and a listing too.
    """
    headers, status = response_dict["headers"], response_dict["status_code"]
    headers.pop("last-modified", None)  # half a date is an error to the library, and none to us
    if status in (204, 304) or operation_model.name == "HeadBucket":
        return
    if "transfer-encoding" not in headers and not headers.get("content-length", "").isdecimal():
        raise HeadersCut


def _found(answer: _Answer, start: int) -> Found:
    body, version, at = answer.body, _version(answer), answer.store_time
    # The header and not the status tells a part from the whole: rclone answers 200 to both.
    said = answer.reply.get("ContentRange")
    if said is None:
        return Found(body[start:] if start else body, version, len(body), at)
    match = _CONTENT_RANGE.fullmatch(said)
    first, size = (int(match[1]), int(match[2])) if match else (-1, -1)
    if first < 0 or first != start - 1 or len(body) != size - first:
        raise Unavailable(f"{answer.where}: the server answered another range than was asked for")
    return Found(body[1:], version, size, at)


def _version(answer: _Answer) -> Version:
    etag = answer.reply.get("ETag", "")
    if not etag:
        raise Unavailable(f"{answer.where}: the answer has no ETag; is the endpoint an S3 server?")
    if '"' in etag and not _QUOTED.fullmatch(etag):
        raise Unavailable(f"{answer.where}: the answer breaks off in its ETag; it may pass")
    return _bare(etag)


def _bare(etag: str) -> Version:
    # Some servers hold only the bare form equal to their own; all that know conditions accept it.
    return Version(etag.removeprefix("W/").strip('"'))


def _seconds(listed: dict[str, Any]) -> float:
    modified: float = listed["LastModified"].timestamp()
    return modified


def _store_time(meta: dict[str, Any]) -> float:
    try:
        return clock.parse_http_date(meta["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        return clock.now()


def _trouble(where: str, error: Exception) -> Unavailable | Refused:
    """Return the error for a request that brought no answer, or no whole one."""
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return Refused(f"{where}: no credentials found; set {CREDENTIALS}")
    if isinstance(error, boto.CredentialRetrievalError):
        return Unavailable(f"{where}: the credentials could not be fetched; it may pass")
    if not isinstance(error, _NO_ANSWER):
        return Refused(f"{where}: {one_line(str(error))}; check the AWS environment and files")
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Refused(f"{where}: the server's certificate is not trusted; check AWS_CA_BUNDLE")
    system = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    reason = f"{type(error).__name__}: {system[-1]}" if system else type(error).__name__
    return Unavailable(f"{where}: no answer ({one_line(reason)}); it may pass")


def _unless_secret(error: Exception) -> Exception | None:
    # The text of this one may be the output of a credential program: not for a log.
    return None if isinstance(error, boto.CredentialRetrievalError) else error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
