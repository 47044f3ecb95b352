#!/usr/bin/env python3
"""Put what comes on stdin at a URL, whole: `put.py s3://bucket/key` or `put.py DIRECTORY/file`.

What `aws s3 cp - URL` does, for machines without that program. The pipeline of `before.sh` posts
its status with it; nobody else needs it.
"""

import os
import sys
from pathlib import Path


def put(url: str, body: bytes) -> None:
    """Put an object, or a file that appears whole."""
    scheme, _, place = url.rpartition("://")
    if scheme == "s3":
        import boto3  # noqa: PLC0415 - a directory does without

        bucket, _, key = place.partition("/")
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.write_bytes(body)
    temporary.replace(path)


if __name__ == "__main__":
    put(sys.argv[1], sys.stdin.buffer.read())
