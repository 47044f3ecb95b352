"""A reader's place over all streams of any number of runs, as one opaque token. Pure.

The token is the same for the command line, for Python and for every other reader: `j1.` and, in the
alphabet of URLs (RFC 4648, base64url), the deflated JSON of {run: {stream: [segment, bytes, seq]}}.
zlib's checksum (RFC 1950) tells a token that was cut or mistyped.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

import orjson

from journal.layout import check_name
from journal.limits import COUNT_MAX
from journal.segments import Cursor

Places = Mapping[str, Mapping[str, Cursor]]
"""Of each run the streams that were read, and where each stands."""

_VERSION: Final = "j1."
_BYTES_MAX: Final = 64 * 1024 * 1024  # of what a token holds; a million streams have less


def encode(places: Places) -> str:
    """Return the token of a place."""
    plain = {
        run_id: {name: [at.segment, at.bytes, at.seq] for name, at in streams.items()}
        for run_id, streams in places.items()
    }
    packed = zlib.compress(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS), 9)
    return _VERSION + urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(token: str) -> Places:
    """Return the place that a token names. Raises ValueError if it is none."""
    token = token.strip()
    if not token.startswith(_VERSION):
        raise ValueError(f"{token[:24]!a} is no cursor: one begins with {_VERSION}")
    packed = token.removeprefix(_VERSION).encode()
    try:
        inflate = zlib.decompressobj()
        packed = urlsafe_b64decode(packed + b"=" * (-len(packed) % 4))
        plain = orjson.loads(inflate.decompress(packed, _BYTES_MAX))
        if not inflate.eof:
            raise ValueError("it is cut")
        return {
            check_name("run id", run_id): {
                check_name("stream", name): _cursor(*at) for name, at in streams.items()
            }
            for run_id, streams in plain.items()
        }
    except (ValueError, TypeError, AttributeError, zlib.error):
        raise ValueError("this cursor was cut or changed; copy it whole, or leave it out") from None


def _cursor(segment: Any, at: Any, seq: Any) -> Cursor:
    if any(
        type(number) is not int or not 0 <= number <= COUNT_MAX for number in (segment, at, seq)
    ):
        raise ValueError("no place")
    return Cursor(segment, at, seq)
