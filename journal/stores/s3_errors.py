"""What the answer of an S3 server means to the journal: one table, no network.

put: 412, or 404 on a rewrite                        Conflict     (decided in s3.py)
409, 408, 429, 5xx but 501                           Unavailable  applied or not, nobody knows
400 RequestTimeout, ExpiredToken                     Unavailable
404 without a code of S3's                           Unavailable  a gateway's, its server away
403 RequestTimeTooSkewed                             Unavailable
403 but for what its code says otherwise             Denied       not applied: a right is missing
everything else (400, 403, 404, 413, 501, 3xx …)     Refused      not applied
"""

import re
from typing import Final

from journal.errors import Denied, Refused, Unavailable

_PASSING_STATUS: Final = frozenset({408, 409, 429})
_PASSING_CODES: Final = frozenset(
    {
        (400, "RequestTimeout"),
        (400, "ExpiredToken"),
        (403, "RequestTimeTooSkewed"),
        (404, "404"),  # what is said of an answer that names no code
    }
)
_MESSAGE_CHARS: Final = 200

CREDENTIALS: Final = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_CREDENTIALS: Final = f"check the credentials ({CREDENTIALS})"
_REGION: Final = "set AWS_DEFAULT_REGION to the bucket's region"
_ADVICE_BY_CODE: Final = {
    "AuthorizationHeaderMalformed": _REGION,
    "ExpiredToken": "renew the session's credentials",
    "IllegalLocationConstraintException": _REGION,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidObjectState": "restore the object, and keep lifecycle rules from archiving journals",
    "InvalidToken": _CREDENTIALS,
    "NoSuchBucket": "create the bucket, or correct the root's URL and the endpoint",
    "PermanentRedirect": _REGION,
    "RequestTimeTooSkewed": "set this host's clock",
    "SignatureDoesNotMatch": _CREDENTIALS,
}
_ADVICE_BY_STATUS: Final = {
    301: _REGION,
    400: "check the endpoint and the region",
    401: _CREDENTIALS,
    405: "check that the endpoint is an S3 server",
    413: "raise the largest body that the server, or a proxy before it, takes",
    501: "use a server that knows conditional writes",
}
# By the word that says what was asked for. S3 tells nobody without s3:ListBucket what is absent.
_RIGHTS: Final = {
    "DELETE": "s3:DeleteObject there",
    "GET": "s3:GetObject there, and s3:ListBucket: without it S3 denies what is absent",
    "HEAD": "s3:GetObject there, and s3:ListBucket: without it S3 denies what is absent",
    "LIST": "s3:ListBucket on the bucket for that prefix",
    "PUT": "s3:PutObject there, and s3:GetObject: S3 asks for it where If-Match is sent",
}


def failure(where: str, status: int, code: str, message: str) -> Unavailable | Refused:
    """Return the error for an answer that is none of those its caller handles itself.

    `where` is the verb and its object, `code` and `message` are the server's own.
    """
    passing = (
        status in _PASSING_STATUS
        or (status >= 500 and status != 501)
        or (status, code) in _PASSING_CODES
    )
    named = f"{status} {code}" if code not in ("", str(status)) else f"{status}"
    said = one_line(message)
    text = f"{where}: the server answered {named}" + (f" ({said})" if said else "")
    advice = _ADVICE_BY_CODE.get(code) or _ADVICE_BY_STATUS.get(status, "")
    if passing:
        return Unavailable(f"{text}; {advice or 'it may pass'}")
    if status == 403 and not advice:
        right = _RIGHTS.get(where.partition(" ")[0], "the right to do this")
        return Denied(f"{text}; give these credentials {right}")
    return Refused(f"{text}; {advice or 'check the endpoint and the bucket'}")


def one_line(text: str) -> str:
    """Return a text as one printable line that a log bears: cut, and no password in a URL."""
    line = re.sub(r"[\x00-\x20\x7f]+", " ", text).strip()
    line = re.sub(r"://[^/@ ]*@", "://", line)
    return line if len(line) <= _MESSAGE_CHARS else f"{line[:_MESSAGE_CHARS]}…"
