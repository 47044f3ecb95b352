"""What a secret gives itself away by: the name before it, its look, or its place in a URL. Pure.

Everything here takes time in proportion to a text, whoever wrote it: what repeats is bounded, takes
all it can for good, or begins where a word begins. What has no fixed text in front is kept for
texts that hold one of MARKS.
"""

import re
from functools import cache, lru_cache
from typing import Final, Literal

Kind = Literal["secret", "token", "signature", "parameter"]

# Names are compared in small letters and without what joins their words.
_JOINTS: Final = str.maketrans("", "", "-_. ")
_KEYS: Final = (
    *("api", "access", "secret", "private", "account", "shared", "signing", "encryption", "master"),
    *("auth", "service", "storage", "subscription", "session", "client", "app", "application"),
    *("consumer", "deploy", "fernet", "hmac", "ssh"),
)
_TOKENS: Final = (
    *("access", "refresh", "auth", "api", "bearer", "session", "security", "private", "personal"),
    *("oauth", "oauth2", "sas", "hf", "hub", "gitlab", "slack", "bot"),
)
_SIGNERS: Final = ("amz", "goog", "oss", "tos", "obs", "cos", "access")
# What stands before one of these makes it no less a secret.
_SECRETS: Final = (
    *("password", "passwords", "passwort", "passwd", "pwd", "passphrase", "passcode"),
    *("dbpass", "userpass", "mypass", "pgpass", "smtppass", "ftppass", "sqlpass"),
    *("secret", "secrets", "secretid", "secretvalue", "secretstring"),
    *("credential", "credentials", "authorization"),
    *(f"{owner}key{more}" for owner in _KEYS for more in ("", "s", "id")),
    *(f"{owner}token{more}" for owner in _TOKENS for more in ("", "s")),
    *(f"{signer}signature" for signer in _SIGNERS),
)
_COOKIES: Final = ("cookie", "setcookie")
_PARAMETERS: Final = ("key", "qak", "policy", "hdnea", "hdnts")
# A `token` with one of these words is one of a text, or a place in a listing.
_HARMLESS: Final = (
    r"(?:.*[-_.])?(?:pad|eos|bos|unk|mask|sep|cls|special|image|max|min|num|next|continuation|page"
    r"|start|end|stop|first|last|new|previous)[-_.]?token"
)


@lru_cache(maxsize=1024)
def kind_of(name: str) -> Kind | None:
    """Tell what a name, of one word or two, makes of its value.

    A secret; a token, unless it is a number; a signature, but only in a query or an assignment; a
    parameter, which is a secret only in a query. None if it says nothing.
    """
    name = name.lower()
    if name.translate(_JOINTS).endswith(_SECRETS):
        return "secret"
    word = name.rpartition(" ")[2]
    squeezed = word.translate(_JOINTS)
    if squeezed in _COOKIES:
        return "secret"
    if squeezed.endswith("token") and not compiled(_HARMLESS).fullmatch(word):
        return "token"
    if squeezed == "auth":
        return "token"
    if squeezed.endswith("signature") or re.split("[-_.]", word)[-1] == "sig":
        return "signature"
    return "parameter" if squeezed in _PARAMETERS else None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of this module compiled: when it is needed, for a reader needs none."""
    return re.compile(pattern, re.ASCII)


def squeezed(name: str) -> str:
    """Return a name as names are compared."""
    return name.lower().translate(_JOINTS)


# Between a name and its value: a closing quote, blanks, a sign, blanks, an opening quote. JSON in a
# string has backslashes before its quotes, a URL in a URL is percent-encoded.
_QUOTE: Final = r"(?:\\*+[\"']|%(?:25){0,3}2[27])"
_OPENING: Final = (
    rf"(?P<opening>(?:[bBrRuU]{{1,2}}(?=[\"']))?+(?P<quote>{_QUOTE})?+)"
    r"(?!(?i:none|null|true|false)\b|\*\*\*)"
)
_QUOTED: Final = r"(?:(?!(?<!\\)(?P=quote))[\s\S])+"
NAMED: Final = (
    rf"(?<![\w.-])(?P<name>[\w.-]++(?:\ [\w.-]++)?)(?P<quote>{_QUOTE})?+(?P<blanks>[ \t]{{0,8}}+)"
    r"(?P<sign>:?={1,3}+>?|:|%(?:25){0,3}3[aAdD])(?!//)[ \t]{0,8}+"
)
OPTION: Final = rf"-(?<![\w-]-)-?(?P<name>[\w-]++)(?:{_QUOTE},)?+[ \t]{{1,8}}+(?!-)"
BARE: Final = (
    rf"{_OPENING}(?(quote){_QUOTED}|(?:[(\[][^()\[\]]{{0,1000}}[)\]]"
    r"|(?:(?!\\u0026)[^\s&\"'<>;,])+))"
)
ENCODED: Final = rf"{_OPENING}(?(quote){_QUOTED}|(?:(?!%(?:25){{0,3}}2[267cC])[^\s&\"'<>;,])+)"
# Up to the end of the line, which may be written as an escape.
HEADER: Final = r"(?P<opening>)(?!\*\*\*)(?:(?!\\[rn])[^\r\n\"'])+"
# Where a parameter of a query begins, and what an escape leaves before a name.
_IN_QUERY: Final = r"(?:[?&]|&amp;|%(?:25){0,3}(?:26|3[fF])|\\u0026)\Z"
_ESCAPE: Final = r"(?<=%)(?:25){0,3}[0-9a-fA-F]{2}|(?<=\\)(?:u00[0-9a-f]{2}|[nrt])"


def escape_before(text: str, start: int) -> int:
    """Return where the word at `start` begins behind the rest of an escape, as in `%26word`."""
    found = compiled(_ESCAPE).match(text, start)
    return found.end() if found else start


def is_in_query(text: str, start: int) -> bool:
    """Tell whether the word at `start` is the name of a parameter in a URL's query."""
    return compiled(_IN_QUERY).search(text[max(0, start - 12) : start]) is not None


# By place: the user information of a URL, in `opening` what is before it. A password may hold an
# unquoted `@`, and in the s3://key:secret@bucket of smart_open the secret most often holds a `/`;
# but what follows a colon may be a port.
USERINFO: Final = r"(?P<opening>://)[^/?#\s\"'<>]{1,1024}(?=@)"
ODD_USERINFO: Final = (
    r"(?P<opening>:(?:\\?/){2}|%(?:25){0,3}3[aA](?:%(?:25){0,3}2[fF]){2})"
    r"(?:[^/?#\s:@\[\"'<>%\\]{0,128}:(?!\d{1,5}[/?#])[^\s@\"'<>]{1,256}+(?=@)"
    r"|(?:(?!%(?:25){0,3}2[fF])[^/?#\s\"'<>&@]){1,512}?(?=@|%(?:25){0,3}40))"
)
BEARER: Final = (
    r"(?P<opening>[bB](?i:earer)(?:\s|%20|\+){1,4}+)"
    r"(?=[\w.~+/=-]*[0-9._~+/=-])[\w.~+/=-]{8,}"
)
BASIC: Final = r"(?P<opening>[bB](?i:asic)(?:\s|%20){1,4}+)(?P<words>[A-Za-z0-9+/_-]{6,}={0,2})"

# By look: a mark that the text must hold, and what then is a secret. Private keys; access keys with
# what may be their secret; the tokens of well-known services.
_ACCESS_KEY: Final = r"[A-Z0-9]{16}(?![A-Z0-9])(?:[^A-Za-z0-9+/]{1,8}[A-Za-z0-9+/]{20,}=?)?"
LOOKS: Final = tuple(
    (mark, re.escape(mark) + rest)
    for mark, rest in (
        ("-----BEGIN ", r"[A-Z0-9 ]{0,40}PRIVATE KEY[\s\S]*?(?:-----END[^-]{0,64}-----|\Z)"),
        ("AKIA", rf"(?<![A-Z0-9]AKIA){_ACCESS_KEY}"),
        ("ASIA", rf"(?<![A-Z0-9]ASIA){_ACCESS_KEY}"),
        *((f"gh{kind}_", "[A-Za-z0-9]{20,}") for kind in "pousr"),
        ("github_pat_", r"\w{20,}"),
        ("glpat-", r"[\w-]{16,}"),
        ("hf_", "[A-Za-z0-9]{30,}"),
        ("xox", "[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("hooks.slack.com/services/", r"[\w/]+"),
        ("sk-", r"(?<![A-Za-z]sk-)(?:[A-Za-z0-9]{32,}|(?:proj|ant|svcacct|or)-[\w-]{20,})"),
        ("sk_live_", "[A-Za-z0-9]{16,}"),
        ("AIza", r"[\w-]{35}"),
        ("npm_", "[A-Za-z0-9]{36}"),
        ("pypi-", r"[\w-]{50,}"),
        ("eyJ", r"(?<![\w-]eyJ)[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*"),
    )
)

# A text in small letters without one of these holds no secret. More it does not say.
MARKS: Final = (
    *("@", "%40", "%25", "bearer", "basic", "pass", "pwd", "secret", "token", "key", "auth"),
    *("cred", "cookie", "sig", "policy", "q-ak", "hdn", *(mark.lower() for mark, _ in LOOKS)),
)
