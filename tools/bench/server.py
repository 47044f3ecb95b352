"""An S3 server in a process of its own, so that its work is not taken for the journal's."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = "bench"
ROOT = f"s3://{BUCKET}/training-runs"
ACCESS_KEY = "bench"
SECRET_KEY = "no secret"
_START_SECONDS = 30.0
_PROGRAM = "from moto.server import main; main()"


@contextlib.contextmanager
def s3_server() -> Iterator[None]:
    """Run moto's server on a loopback port, with the environment set for it and the bucket made."""
    (port,) = free_ports(1)
    with surroundings(port):
        command = [sys.executable, "-c", _PROGRAM, "-H", "127.0.0.1", "-p", str(port)]
        with serving(command):
            yield


@contextlib.contextmanager
def serving(command: list[str], directory: str | None = None) -> Iterator[None]:
    """Run a server that takes the bucket, in a directory."""
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=directory, stdout=quiet, stderr=quiet)
    try:
        _make_bucket(server)
        yield
    finally:
        # Nothing it holds is wanted back, and a proper end may take seconds.
        server.kill()
        server.wait()


@contextlib.contextmanager
def surroundings(port: int) -> Iterator[str]:
    """Set the environment for a server on a port, and yield a directory that is thrown away.

    The environment of this process, and so of its children, has nothing of the user's AWS set-up
    meanwhile, and a cache of its own.
    """
    with tempfile.TemporaryDirectory() as home, patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith(("AWS_", "JOURNAL_"))]:
            del os.environ[name]
        os.environ.update(
            AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{port}",
            AWS_ACCESS_KEY_ID=ACCESS_KEY,
            AWS_SECRET_ACCESS_KEY=SECRET_KEY,
            AWS_CONFIG_FILE=f"{home}/none",
            AWS_SHARED_CREDENTIALS_FILE=f"{home}/none",
            AWS_EC2_METADATA_DISABLED="true",
            XDG_CACHE_HOME=home,
            NO_PROXY="127.0.0.1",
            no_proxy="127.0.0.1",
        )
        yield home


def bare_client() -> Any:
    """Return a client as botocore makes it for whoever asks, that does not try again."""
    config = Config(retries={"total_max_attempts": 1})
    session = botocore.session.get_session()
    return session.create_client("s3", region_name="us-east-1", config=config)


def _make_bucket(server: subprocess.Popen[bytes]) -> None:
    client = bare_client()
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
        except (BotoCoreError, ClientError):
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
