"""Hostile inputs, drawn with a seeded generator: bytes damaged, JSON made of strange values."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import orjson

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "v1" / "mistral-20250805-142652"
SEGMENTS = [path.read_bytes() for path in sorted(GOLDEN.glob("journal/*/*.jsonl"))]
DOCUMENT = (GOLDEN / "metadata.json").read_bytes()
RECORDS: list[dict[str, Any]] = [
    record for body in SEGMENTS for record in map(orjson.loads, body.splitlines())
]
KINDS = sorted({record["type"] for record in RECORDS})
FIELDS = sorted({name for record in RECORDS for name in record})

# What a parser, a terminal or a counter may stumble over.
WORDS = [
    *(
        b"",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"\\",
        b",",
    ),
    *(b"null", b"true", b"NaN", b"Infinity", b"-0", b"1e999", b"1e308", b"-1", b"9" * 400),
    *(b"18446744073709551615", b"9007199254740992", b'"\\ud800"', b'{"a":' * 300, b"[" * 2000),
    *(b"\x1b[2J", b"\xe2\x80\xae", b"\xc2\x9b", b'"seq":', b'"ts":', b"\x1f\x8b\x08", b"../../etc"),
]
TEXTS = [
    *(
        "",
        "x" * 70_000,
        "\0",
        "\x1b]0;owned\x07",
        "\u202e",
        "\U000e0041",
        "\ud800",
        "é",
        "../../etc",
    ),
    *("2025-08-05T19:27:00.000000Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "now"),
    *("2025-08-05T19:27:00.٣٣٣٣٣٣Z", "2025-W01", "main", "journal", "completed", "downloading_x"),
]
NUMBERS: list[Any] = [
    *(0, -1, 1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)),
    *(0.0, -0.0, 1e308, -1e308, 5e-324, 1.5, 4e11, float("nan"), float("inf")),
]


def damaged(chance: Random, body: bytes) -> bytes:
    """Damage bytes in one to four places."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        end = min(len(body), at + chance.choice((0, 1, 1, 4, 64, 1000)))
        middle = chance.choice(
            (
                b"",
                chance.choice(WORDS),
                chance.randbytes(chance.randint(1, 8)),
                body[at:end] * chance.choice((2, 2, 50)),
                body[chance.randrange(len(body) + 1) :][: chance.randint(1, 500)],
            )
        )
        body = body[:at] + middle + body[end:]
    return body


def value(chance: Random, depth: int = 0) -> Any:
    """Draw a value of JSON, most likely a strange one."""
    match chance.randrange(9 if depth < 3 else 5):
        case 0 | 1:
            return chance.choice(TEXTS)
        case 2 | 3:
            return chance.choice(NUMBERS)
        case 4:
            return chance.choice((None, True, False))
        case 5 | 6:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        case 7:
            return nested(chance.choice((100, 252, 253, 254, 255, 400, 900)))
        case _:
            return {key(chance): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def key(chance: Random) -> str:
    return chance.choice(TEXTS) if chance.random() < 0.3 else chance.choice(FIELDS)


def nested(depth: int) -> Any:
    """Return a list in a list in a list …"""
    inner: Any = 1
    for _ in range(depth):
        inner = [inner]
    return inner


def changed(chance: Random, structure: Any, draw: Callable[[Random], Any] = value) -> Any:
    """Change one place, anywhere in a structure: another value, one less, one more."""
    if isinstance(structure, dict) and structure and chance.random() < 0.9:
        name = chance.choice(list(structure))
        copy = dict(structure)
        match chance.randrange(8):
            case 0:
                del copy[name]
            case 1:
                copy[key(chance)] = draw(chance)
            case _:
                copy[name] = changed(chance, copy[name], draw)
        return copy
    if isinstance(structure, list) and structure and chance.random() < 0.9:
        at = chance.randrange(len(structure))
        return [*structure[:at], changed(chance, structure[at], draw), *structure[at + 1 :]]
    return draw(chance)


def record(chance: Random, seq: int) -> dict[str, Any]:
    """Draw a record: one of the golden ones with some of its fields changed."""
    drawn = dict(chance.choice(RECORDS))
    for _ in range(chance.randrange(4)):
        drawn = changed(chance, drawn)
        drawn = drawn if isinstance(drawn, dict) else {}
    drawn["seq"] = seq
    drawn.setdefault("ts", "2025-08-05T19:27:00.000000Z")
    if not isinstance(drawn["ts"], str):
        drawn["ts"] = chance.choice(TEXTS)
    if not isinstance(drawn.get("type"), str):
        drawn["type"] = chance.choice(KINDS)
    return drawn


def line(chance: Random, seq: int) -> bytes:
    """Draw a line of a segment, most likely a record's."""
    if chance.random() < 0.2:
        return damaged(chance, chance.choice(SEGMENTS[0].splitlines(keepends=True)))
    return written(record(chance, seq)) + b"\n"


def segment(chance: Random) -> bytes:
    """Draw a segment: a golden one damaged, or an opening with drawn lines behind it."""
    golden = chance.choice(SEGMENTS)
    if chance.random() < 0.5:
        return damaged(chance, golden)
    lines = golden.splitlines(keepends=True)
    drawn = [line(chance, seq) for seq in range(chance.randrange(30))]
    return b"".join([lines[0], *drawn, *lines[-1:] * chance.randrange(2)])


def document(chance: Random) -> bytes:
    """Draw a metadata.json: damaged, strange, or with a right digest over strange states."""
    if chance.random() < 0.3:
        return damaged(chance, DOCUMENT)
    drawn = orjson.loads(DOCUMENT)
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.6:
            streams = changed(chance, drawn["journal"].get("streams"))
            drawn["journal"]["streams"] = streams
        else:
            drawn = changed(chance, drawn)
        if not isinstance(drawn, dict) or not isinstance(drawn.get("journal"), dict):
            return encoded(chance, written(drawn))
    # Whoever changes it can also make its digest right.
    streams = written(drawn["journal"].get("streams"))
    drawn["journal"]["sha256"] = sha256(streams).hexdigest()
    return encoded(chance, written(drawn))


def encoded(chance: Random, body: bytes) -> bytes:
    """Return a document in the encoding of some other program."""
    text = body.decode("utf-8", "replace")
    match chance.randrange(20):
        case 0:
            return text.encode("utf-16")
        case 1:
            return text.encode("utf-8-sig")
        case 2:
            return body[: len(body) // 2]
    return body


def written(structure: Any) -> bytes:
    """Write a structure as JSON, as a careless program would: NaN, lone surrogates, any depth."""
    try:
        return orjson.dumps(structure)
    except TypeError:
        return json.dumps(structure, separators=(",", ":")).encode("utf-8", "surrogatepass")


# Names, looks and signs, and what is put around them.
SECRETS = [
    *("password", "token=", "key=", "secret:", "api_key='x'", "--token ", "pad_token", "cookie:"),
    *("AKIA", "AKIAIOSFODNN7EXAMPLE", "ghp_", "hf_", "xoxb-", "eyJ", "sk-", "X-Amz-Signature="),
    *("-----BEGIN ", "PRIVATE KEY-----", "Basic ", "Bearer ", "basic aaaaaa", "authorization: "),
    *("://", "user:pw@", "s3://a:", "%", "%25", "%2526sig%3D", "%40", "%3A%2F%2F", "\\u0026sig="),
    *("&", "?", "=", ":", ";", ",", "/", "@", '"', "'", "\\", '\\"', "(", "[", "{", "}", " ", "\n"),
    *("\t", ".", "_", "-", "a", "é", "None", "***"),
]


def text(chance: Random, most_chars: int) -> str:
    """Draw a text made to keep patterns busy: a few pieces again and again, and some others."""
    pieces = [chance.choice(SECRETS) for _ in range(chance.randint(1, 4))]
    again = "".join(pieces)
    count = chance.choice((1, 3, 100, most_chars)) // len(again) + 1
    ends = [chance.choice(SECRETS) for _ in range(chance.randrange(4))]
    return (again * count)[:most_chars] + "".join(ends)
