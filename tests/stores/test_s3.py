"""What the S3 store makes of each answer of a server, and of none."""

import os
import socket
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers

from journal.errors import Conflict, Denied, JournalError, Refused, Unavailable
from journal.stores import ABSENT, Absent, Found, Unchanged, Version, connect
from journal.stores import s3 as s3_module

KEY = "run-1/metadata.json"
OLD = Version("5d41402abc4b2a76b9719d911017c592")
DATE = {"Date": "Tue, 01 Feb 2028 03:04:05 GMT"}
DATE_TIME = 1832987045.0


@pytest.fixture
def store(canned):
    """An S3 store whose server answers what it is told."""
    return connect("s3://bucket/training-runs")


def raised_by(call, *arguments, **options) -> JournalError:
    with pytest.raises(JournalError) as caught:
        call(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (301, "MovedSomewhere", Refused),
        (400, "RequestTimeout", Unavailable),
        (400, "ExpiredToken", Unavailable),
        (400, "InvalidRequest", Refused),
        (403, "RequestTimeTooSkewed", Unavailable),
        (403, "AccessDenied", Denied),
        (403, "InvalidAccessKeyId", Refused),
        (403, "InvalidObjectState", Refused),
        (404, "NoSuchKey", Conflict),
        (404, "", Conflict),
        (404, "NoSuchBucket", Refused),
        (405, "MethodNotAllowed", Refused),
        (408, "", Unavailable),
        (409, "ConditionalRequestConflict", Unavailable),
        (412, "PreconditionFailed", Conflict),
        (413, "EntityTooLarge", Refused),
        (429, "TooManyRequests", Unavailable),
        (500, "InternalError", Unavailable),
        (501, "NotImplemented", Refused),
        (502, "", Unavailable),
        (503, "SlowDown", Unavailable),
        (504, "", Unavailable),
        (507, "", Unavailable),
        (0, "", Unavailable),
    ],
)
def test_the_answer_to_a_rewrite_means(canned, store, status, code, expected):
    """Each answer is one of: not what was expected, nobody knows, refused. Status 0 is a reset."""
    canned.status, canned.code = status, code

    error = raised_by(store.put, KEY, b"two", expect=OLD)

    assert type(error) is expected


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, "NoSuchKey", Refused),
        (409, "ConditionalRequestConflict", Unavailable),
        (412, "PreconditionFailed", Conflict),
    ],
)
def test_the_answer_to_a_create_means(canned, store, status, code, expected):
    """A create expects nothing to be there, so that nothing is there is no conflict."""
    canned.status, canned.code = status, code

    error = raised_by(store.put, KEY, b"one", expect=ABSENT)

    assert type(error) is expected


@pytest.mark.parametrize(
    ("status", "expected"), [(403, Denied), (500, Unavailable), (0, Unavailable)]
)
@pytest.mark.parametrize("operation", ["get", "delete", "list"])
def test_the_answer_to_others_means(canned, store, operation, status, expected):
    """The other operations raise as a put does."""
    canned.status = status
    calls = {
        "get": lambda: store.get(KEY),
        "delete": lambda: store.delete(KEY),
        "list": lambda: list(store.list("run-1/")),
    }

    assert type(raised_by(calls[operation])) is expected


@pytest.mark.parametrize("status", [0, 409, 429, 500, 503])
def test_nothing_is_sent_twice(canned, store, status):
    """The journal's own loop sends again; the client must not, or its own late write fences it."""
    canned.status = status

    raised_by(store.put, KEY, b"one", expect=ABSENT)

    assert len(canned.requests) == 1


def test_the_environment_cannot_make_the_client_try_again(canned, monkeypatch):
    """AWS_MAX_ATTEMPTS and AWS_RETRY_MODE are for others."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    canned.status = 503

    raised_by(connect("s3://bucket").put, KEY, b"one", expect=ABSENT)

    assert len(canned.requests) == 1


def test_a_server_that_says_nothing_is_unavailable(canned, store, monkeypatch):
    """A put that nobody answers in time may have been applied or not."""
    monkeypatch.setattr(s3_module, "READ_SECONDS", 0.2)
    canned.status = -1

    error = raised_by(store.put, KEY, b"one", expect=ABSENT)

    assert (type(error), "ReadTimeoutError" in str(error)) == (Unavailable, True)


def test_a_server_that_is_not_there_is_unavailable(monkeypatch, canned):
    """A refused connection may be a server that starts again."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")

    error = raised_by(connect("s3://bucket").get, KEY)

    assert (type(error), "Connection refused" in str(error)) == (Unavailable, True)


def test_a_body_that_is_cut_short_is_unavailable(canned, store):
    """Fewer bytes than promised are never taken for the object."""
    canned.headers, canned.body, canned.short = {"ETag": '"abc"'}, b"half", 4

    assert type(raised_by(store.get, KEY)) is Unavailable


def test_a_body_that_is_reset_is_unavailable(monkeypatch, canned):
    """A connection that breaks while the body comes is no object either."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setattr(s3_module, "READ_SECONDS", 5.0)
        error = _get_reset_midway(connect("s3://bucket"), listener)

    assert type(error) is Unavailable


def _get_reset_midway(store, listener) -> JournalError:
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(raised_by, store.get, KEY)
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 9\r\n\r\nhalf')
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        return error.result()


@pytest.mark.parametrize("operation", ["get", "put"])
def test_an_answer_without_an_etag_is_unavailable(canned, store, operation):
    """Something between us and the store answered 200, such as a login page of a network."""
    calls = {"get": lambda: store.get(KEY), "put": lambda: store.put(KEY, b"", expect=ABSENT)}

    error = raised_by(calls[operation])

    assert (type(error), "no ETag" in str(error)) == (Unavailable, True)


@pytest.mark.parametrize("operation", ["get", "delete", "list"])
def test_a_404_that_no_store_said_is_unavailable(canned, store, operation):
    """A gateway says so while its server starts again; nothing is absent or deleted for that."""
    canned.status, canned.body = 404, b"404 page not found"
    calls = {
        "get": lambda: store.get(KEY),
        "delete": lambda: store.delete(KEY),
        "list": lambda: list(store.list("run-1/")),
    }

    assert type(raised_by(calls[operation])) is Unavailable


@pytest.mark.parametrize("body", [b"", b"<html><body>log in</body></html>"])
def test_a_page_that_is_no_listing_is_unavailable(canned, store, body):
    """A page of something between us and the store has no entries, and says nothing of what is."""
    canned.body = body

    with pytest.raises(Unavailable):
        list(store.list("r/"))


@pytest.mark.parametrize("said", ["bytes 7-9/10", "bytes 4-6/10", "bytes 4-6/*", "lines 4-9"])
def test_a_range_that_was_not_asked_for_is_unavailable(canned, store, said):
    """Bytes from elsewhere, or to elsewhere than the end, are never taken for those asked for."""
    canned.status, canned.body = 206, b"789"
    canned.headers = {"ETag": '"abc"', "Content-Range": said}

    assert type(raised_by(store.get, KEY, start=5)) is Unavailable


@pytest.mark.parametrize("status", [200, 206])
def test_a_range_is_told_by_its_header(canned, store, status):
    """Some servers answer 200 to a range, as if it were the whole."""
    canned.status, canned.body = status, b"456789"
    canned.headers = {"ETag": '"abc"', "Content-Range": "bytes 4-9/10"}

    found = store.get(KEY, start=5)

    assert (found.body, found.size) == (b"56789", 10)


def test_an_object_that_grew_beyond_a_416_is_unavailable(canned, store):
    """The end moved between the two requests: neither answer is the object."""
    canned.statuses, canned.headers = [416], {"ETag": '"abc"', "Content-Length": "9"}

    assert type(raised_by(store.get, KEY, start=5)) is Unavailable


def test_an_object_that_went_after_a_416_is_absent(canned, store):
    """It was deleted between the two requests."""
    canned.statuses = [416, 404]

    assert isinstance(store.get(KEY, start=5), Absent)


def test_an_object_that_is_known_after_a_416_is_unchanged(canned, store):
    """Some servers look at the range first and at the condition never."""
    canned.statuses, canned.headers = [416], {"ETag": f'"{OLD}"', "Content-Length": "3"}

    assert isinstance(store.get(KEY, start=5, unless=OLD), Unchanged)


def test_a_refusal_after_a_416_is_a_refusal(canned, store):
    """A right to get is not always a right to ask for the size."""
    canned.statuses = [416, 403]

    assert type(raised_by(store.get, KEY, start=5)) is Denied


@pytest.mark.parametrize(
    ("operation", "right"),
    [
        ("get", "s3:GetObject there, and s3:ListBucket: without it S3 denies what is absent"),
        ("put", "s3:PutObject there, and s3:GetObject"),
        ("delete", "s3:DeleteObject there"),
        ("list", "s3:ListBucket on the bucket for that prefix"),
    ],
)
def test_a_denial_names_the_right(canned, store, operation, right):
    """Whoever gives out rights reads which one is missing, and where."""
    canned.status, canned.code = 403, "AccessDenied"
    calls = {
        "get": lambda: store.get(KEY),
        "put": lambda: store.put(KEY, b"one", expect=ABSENT),
        "delete": lambda: store.delete(KEY),
        "list": lambda: list(store.list("run-1/")),
    }

    said = str(raised_by(calls[operation]))

    assert said.startswith(f"{operation.upper()} s3://bucket/training-runs/run-1/")
    assert f"the server answered 403 AccessDenied (told to); give these credentials {right}" in said


def test_a_delete_of_what_is_gone_is_done(canned, store):
    """A few servers answer 404 to that."""
    canned.status, canned.code = 404, "NoSuchKey"

    assert store.delete(KEY) is None


def test_a_reply_without_a_date_has_the_host_s_time(canned, store):
    """A server may not know what time it is."""
    canned.status, canned.code, canned.headers = 404, "NoSuchKey", {"Date": "today"}

    assert store.get(KEY).store_time == pytest.approx(time.time(), abs=2)


def test_a_server_without_ranges_is_read_all_the_same(canned, store):
    """Where the whole object comes for a range, the rest is cut out of it."""
    canned.headers, canned.body = {"ETag": '"abc"'}, b"0123456789"

    found = store.get(KEY, start=8)

    assert (found.body, found.size) == (b"89", 10)


def test_a_listing_that_is_no_xml_is_unavailable(canned, store):
    """A page that cannot be read is no page."""
    canned.body = b"<html>not S3"

    with pytest.raises(Unavailable):
        list(store.list("run-1/"))


def page(*keys: str, more: str = "") -> bytes:
    entries = "".join(
        f"<Contents><Key>training-runs/{key}</Key><ETag>&quot;{OLD}&quot;</ETag><Size>5</Size>"
        "<LastModified>2028-02-01T03:04:05.000Z</LastModified></Contents>"
        for key in keys
    )
    truncated = "true" if more else "false"
    return (
        f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{entries}"
        f"<NextContinuationToken>{more}</NextContinuationToken></ListBucketResult>"
    ).encode()


def test_a_listing_goes_through_all_pages(canned, store):
    """A server sends 1,000 entries at a time and says how to go on."""
    canned.pages = [page("r/1", "r/2", more="here"), page("r/3")]

    assert [entry.key for entry in store.list("r/")] == ["r/1", "r/2", "r/3"]


def test_a_listing_asks_for_no_page_before_it_is_wanted(canned, store):
    """Whoever wants the first entry pays for one page."""
    canned.pages = [page("r/1", more="here"), page("r/2")]

    first = next(store.list("r/"))

    assert (first.key, len(canned.requests)) == ("r/1", 1)


def test_an_entry_has_the_bare_version_and_the_time_of_the_store(canned, store):
    """The quotes of an ETag are not part of the version; times are seconds since the epoch."""
    canned.pages = [page("r/1")]

    (entry,) = store.list("r/")

    assert (entry.version, entry.modified) == (OLD, DATE_TIME)


def test_a_page_that_promises_more_and_gives_no_token_is_unavailable(canned, store):
    """Rather an error than a listing that lacks its end."""
    canned.pages = [page("r/1", more=" ").replace(b"<NextContinuationToken> </Next", b"<N></N")]
    canned.pages[0] = canned.pages[0].replace(b"</NContinuationToken>", b"")

    with pytest.raises(Unavailable):
        list(store.list("r/"))


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [(200, "", Found), (304, "", Unchanged), (404, "NoSuchKey", Absent)],
)
def test_the_store_s_time_is_the_date_of_the_reply(canned, store, status, code, expected):
    """Answers that are errors to HTTP carry a time as well."""
    canned.status, canned.code, canned.headers = status, code, {"ETag": '"abc"'} | DATE

    answer = store.get(KEY, unless=OLD)

    assert (type(answer), answer.store_time) == (expected, DATE_TIME)


def test_a_weak_etag_is_a_version_all_the_same(canned, store):
    """A proxy that compresses marks ETags so; the mark is not part of the version."""
    canned.headers = {"ETag": f'W/"{OLD}"'}

    assert store.get(KEY).version == OLD


def header(canned, name: str) -> str | None:
    return canned.requests[-1][2].get(name)


def test_a_rewrite_sends_the_version_without_quotes(canned, store):
    """Some servers compare the header with the bare ETag; all that honour it accept that."""
    canned.headers = {"ETag": '"abc"'}

    store.put(KEY, b"two", expect=OLD)

    assert (header(canned, "If-Match"), header(canned, "If-None-Match")) == (OLD, None)


def test_a_create_sends_a_star(canned, store):
    """Nothing may be there, whatever its version."""
    canned.headers = {"ETag": '"abc"'}

    store.put(KEY, b"two", expect=ABSENT)

    assert (header(canned, "If-Match"), header(canned, "If-None-Match")) == (None, "*")


def test_a_put_carries_no_newer_checksum(canned, store):
    """Older servers refuse the checksums that newer clients add; the signature covers the body."""
    canned.headers = {"ETag": '"abc"'}

    store.put(KEY, b"two", expect=ABSENT)

    sent = {name.lower() for name in canned.requests[-1][2]}
    assert ("x-amz-content-sha256" in sent, "x-amz-checksum-crc32" in sent) == (True, False)


@pytest.mark.parametrize("body", [b"", b"two"])
def test_a_put_does_not_wait_for_leave_to_send(canned, store, body):
    """`Expect: 100-continue` costs a round trip, and spoils the connection after an empty body."""
    canned.headers = {"ETag": '"abc"'}

    store.put(KEY, body, expect=ABSENT)

    assert header(canned, "Expect") is None


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_to_nowhere_is_not_followed_for_ever(canned, store, status):
    """A login page of a network redirects whatever is asked; that is Refused soon."""
    canned.status = status

    error = raised_by(store.put, KEY, b"one", expect=ABSENT)

    assert (type(error), len(canned.requests) <= 2) == (Refused, True)


def test_an_endpoint_of_one_s_own_is_asked_by_path(canned, store):
    """The bucket is in the path: names of buckets are not in the DNS of such a server."""
    canned.headers = {"ETag": '"abc"'}

    store.get(KEY)

    assert canned.requests[-1][1] == "/bucket/training-runs/run-1/metadata.json"


def test_the_general_endpoint_of_the_environment_counts(canned, monkeypatch):
    """AWS_ENDPOINT_URL is for all services, and so for S3."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", canned.endpoint)
    canned.headers = {"ETag": '"abc"'}

    connect("s3://bucket").get(KEY)

    assert len(canned.requests) == 1


def test_a_certificate_that_nobody_trusts_is_refused(tmp_path, monkeypatch):
    """No retry mends a certificate; the line says where to name one."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    command += " -subj /CN=localhost -keyout - -out -"
    certificate = tmp_path / "certificate.pem"
    made = subprocess.run(command.split(), capture_output=True, check=True)
    certificate.write_bytes(made.stdout)
    with servers.canned(certificate) as canned:
        monkeypatch.setattr(os, "environ", os.environ | canned.environment)

        error = raised_by(connect("s3://bucket").get, KEY)

    assert (type(error), "AWS_CA_BUNDLE" in str(error)) == (Refused, True)


@pytest.mark.parametrize("variable", ["AWS_DEFAULT_REGION", "AWS_REGION"])
def test_the_region_of_the_environment_counts(canned, monkeypatch, variable):
    """The region is signed; without one it is us-east-1."""
    monkeypatch.setenv(variable, "eu-central-1")
    canned.headers = {"ETag": '"abc"'}

    connect("s3://bucket").get(KEY)

    assert "/eu-central-1/s3/" in header(canned, "Authorization")


def test_an_identity_is_the_endpoint_and_the_bucket(canned, store):
    """Roots in one bucket share it; a user's name and password are not in it."""
    assert store.identity == f"{canned.endpoint}/bucket"


def test_an_identity_of_a_wrong_set_up_is_refused(monkeypatch, canned, store):
    """There is no client to ask for its endpoint."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")

    with pytest.raises(Refused, match="no-such-profile"):
        _ = store.identity


def test_a_client_is_not_shared_with_a_forked_child(canned, store, monkeypatch):
    """In another process the store makes connections of its own."""
    parent = store._client()
    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert store._client() is not parent


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "InvalidRequest"), (403, "AccessDenied"), (404, "NoSuchBucket"), (413, ""), (501, "")],
)
def test_a_refusal_says_what_where_and_what_to_do(canned, store, status, code):
    """One line: operation, object, status, the server's code, and advice."""
    canned.status, canned.code = status, code

    line = str(raised_by(store.put, KEY, b"one", expect=ABSENT))

    assert line.startswith(f"PUT s3://bucket/training-runs/{KEY}: the server answered {status}")
    assert (code in line, "; " in line, "\n" in line) == (True, True, False)


def test_a_message_of_the_server_is_made_one_line(canned, store):
    """Whatever a server says, it cannot forge a second line in a log."""
    canned.status = 403
    canned.body = b"<Error><Code>Denied</Code><Message>first\n  second</Message></Error>"

    assert "(first second)" in str(raised_by(store.get, KEY))


def test_no_credentials_is_refused_in_one_line(moto_url, monkeypatch):
    """Without credentials nothing is sent, and the line says what to set."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    error = raised_by(connect(moto_url).get, KEY)

    assert (type(error), "\n" in str(error)) == (Refused, False)
    assert "no credentials found; set AWS_ACCESS_KEY_ID" in str(error)


def test_wrong_credentials_are_refused_and_not_told(weed_url, monkeypatch):
    """The line names the server's code and what to check, and none of the secret."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-wrong-secret")

    error = raised_by(connect(weed_url).put, KEY, b"one", expect=ABSENT)

    assert (type(error), "SignatureDoesNotMatch" in str(error)) == (Refused, True)
    assert "check the credentials" in str(error)
    assert "the-wrong-secret" not in str(error)


def test_renewed_credentials_are_taken_up(weed_url, monkeypatch):
    """After a refusal the credentials are read anew, so that a job can be helped while it runs."""
    right = os.environ["AWS_SECRET_ACCESS_KEY"]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-wrong-secret")
    store = connect(weed_url)
    raised_by(store.put, KEY, b"one", expect=ABSENT)

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", right)

    assert store.put(KEY, b"one", expect=ABSENT).version


@pytest.mark.parametrize("server", ["moto_url", "weed_url"])
def test_a_bucket_that_is_not_there_is_refused(request, server):
    """A missing bucket is a matter of set-up, in one line with the bucket's name."""
    request.getfixturevalue(server)

    error = raised_by(connect("s3://no-such-bucket/a").put, KEY, b"one", expect=ABSENT)

    assert (type(error), "s3://no-such-bucket/a" in str(error)) == (Refused, True)
    assert "NoSuchBucket" in str(error)


@pytest.mark.parametrize("server", ["moto_url", "weed_url"])
def test_a_read_from_a_bucket_that_is_not_there_is_refused(request, server):
    """It is not an absent object."""
    request.getfixturevalue(server)

    assert type(raised_by(connect("s3://no-such-bucket/a").get, KEY)) is Refused


@pytest.mark.parametrize(
    ("variable", "value"),
    [("AWS_PROFILE", "no-such-profile"), ("AWS_ENDPOINT_URL_S3", "http://user:secret@a b:x")],
)
def test_set_up_that_is_wrong_is_refused_at_the_first_request(monkeypatch, canned, variable, value):
    """Connecting sends nothing and so refuses nothing; no password is repeated."""
    monkeypatch.setenv(variable, value)

    error = raised_by(connect("s3://bucket").get, KEY)

    assert (type(error), "secret" in str(error), "\n" in str(error)) == (Refused, False, False)


def test_a_credential_program_that_fails_may_pass(monkeypatch, canned, tmp_path):
    """What it printed may be a secret, and is not repeated."""
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = sh -c 'echo the-secret >&2; exit 1'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    error = raised_by(connect("s3://bucket").get, KEY)

    assert (type(error), "the-secret" in str(error)) == (Unavailable, False)
    assert error.__cause__ is None
