"""Addresses may carry credentials and signatures: what is shown or journalled carries none."""

import re
import traceback
from urllib.parse import urlsplit, urlunsplit

from tools.prepare.errors import BadFile

_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")
# urllib3 names the path and the query alone: "Max retries exceeded with url: /a?X-Amz-Signature=…"
_QUERY = re.compile(r"\?[^\s'\"<>()]*=[^\s'\"<>()]*")


def public_url(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:  # not a URL at all: keep what cannot be a secret
        return url.partition("://")[0] + "://…"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def redact(text: str) -> str:
    """Return a text whose URLs are public ones."""
    return _QUERY.sub("?…", _URL.sub(lambda found: public_url(found[0]), text))


def public_error(error: Exception) -> Exception:
    """Return the error itself if neither it nor its causes show a secret, else one that does not.

    A caller must raise the result `from None`: a chained cause would show it again.
    """
    story = "".join(traceback.format_exception(error))
    if redact(story) == story:
        return error
    return BadFile(f"{type(error).__name__}: {redact(str(error))}")
