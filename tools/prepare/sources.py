"""Reading what a source has, whatever its scheme: through smart_open, bytes as they are."""

import errno
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import boto3
import smart_open
from botocore.config import Config

READ_SECONDS = 60  # without a byte, and a read has failed
_OUR_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
RETRY_AFTER_MAX_SECONDS = 600.0
_RETRYABLE = {408, 429}  # besides 5xx


@cache
def s3_client() -> Any:
    """Return the S3 client, one for all threads; AWS_* say where and who."""
    return boto3.client("s3", config=Config(
        connect_timeout=10, read_timeout=READ_SECONDS, max_pool_connections=32,
        retries={"mode": "standard", "total_max_attempts": 3},
    ))  # fmt: skip


def local_path(url: str) -> Path:
    """Return the path that a `file://` URL names."""
    return Path(unquote(urlsplit(url.replace("?", "%3F").replace("#", "%23")).path))


def bucket_and_key(url: str) -> tuple[str, str]:
    """Return the bucket and the key, or the beginning of keys, of an `s3://` URL."""
    bucket, _, key = url.partition("://")[2].partition("/")
    return bucket, key


def open_url(url: str) -> BinaryIO:
    """Open a URL for reading its bytes as they are. The path of `file://` is taken literally."""
    scheme = url.partition(":")[0].lower()
    options: dict[str, Any] = {}
    if scheme == "s3":
        options = {"client": s3_client()}
    elif scheme in ("http", "https"):
        options = {"timeout": READ_SECONDS}
    return smart_open.open(url, "rb", compression="disable", transport_params=options)


def is_our_fault(error: BaseException) -> bool:
    """Tell whether an error is this machine's (a full disk), which no other file will escape."""
    return isinstance(error, OSError) and error.errno in _OUR_DISK


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error of requests or botocore carries."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        response = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        response = getattr(response, "status_code", None)
    return response if isinstance(response, int) else None


def may_pass(error: BaseException, scheme: str) -> bool:
    """Tell whether the same read may succeed a little later."""
    if scheme == "file" or isinstance(error, FileNotFoundError | PermissionError):
        return False
    status = status_of(error)
    return status is None or status in _RETRYABLE or status >= 500


def retry_after_seconds(error: BaseException) -> float | None:
    """Return how long the server asks to wait, None if it does not."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = str(headers.get("Retry-After", ""))
    return min(float(asked), RETRY_AFTER_MAX_SECONDS) if asked.isdecimal() else None
