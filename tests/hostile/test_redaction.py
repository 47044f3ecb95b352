"""What authorises is hidden whatever is around it; what only looks alike stays readable."""

import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from journal.redaction import HIDDEN, STANDARD, Redaction, redaction_of

SECRET = "s3cr3tVALUE99"
AWS = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

# Each holds the secret, for which ¤ stands, and must not after it was redacted.
TELLING = r"""
password=¤
PASSWORD=¤
aws_session_token = ¤
AWS_SECRET_ACCESS_KEY=¤
export HF_TOKEN=¤
github_token=¤
token=¤
api_key='¤'
api-key: ¤
X-Api-Key: ¤
the secret access key: ¤
clientSecret=¤
secret => ¤
password := "¤"
if password == '¤':
Client(api_key=b"¤", x=1)
passwd:¤
auth=('user', '¤')
params={'password': '¤'}
{"password": "¤", "a": 1}
{"password": "a\"¤"}
{\"password\": \"¤\"}
{\\\"db_password\\\":\\\"¤\\\"}
{"token": "¤"}
"secrets": ["¤", "¤"]
Authorization: Bearer ¤
authorization=Bearer ¤
{'Authorization': 'Bearer ¤'}
failed with Bearer ¤ now
failed with BEARER%20¤
Authorization: Token ¤, again ¤
b'GET / HTTP/1.1\r\nAuthorization: Token ¤\r\nHost: x'
AWS4-HMAC-SHA256 Credential=¤/2025/us-east-1/s3, SignedHeaders=host, Signature=¤
Cookie: session=¤; other=¤
Set-Cookie: sid=¤; Path=/
https://h/k?X-Amz-Credential=¤%2F1&X-Amz-Signature=¤&x=1
https://h/k?x-amz-security-token=¤
https%3A%2F%2Fh%2Fk%3FX-Amz-Signature%3D¤%26x%3D1
url=https%253A%252F%252Fh%253FX-Amz-Security-Token%253D¤%2526y
https://h/?a=1&amp;sig=¤&amp;b=2
https://h/?a=1\u0026sig=¤\u0026b=2
https://storage/x?X-Goog-Signature=¤
https://storage/x?GoogleAccessId=x&Expires=1&Signature=¤
https://oss/x?OSSAccessKeyId=¤&Signature=¤&Expires=1
https://tos/x?X-Tos-Signature=¤
https://cos/x?q-sign-algorithm=sha1&q-ak=¤&q-signature=¤
https://cdn/x?Policy=¤&Key-Pair-Id=K
https://www.googleapis.com/x?key=¤&alt=json
client_secret%3D¤%26grant
%22password%22%3A%22¤%22
postgres://user:¤@host/db
postgres://user:p/¤@host/db
postgres://user:p@¤@host/db
redis://:¤@host:6379/0
mongodb+srv://u:¤@cluster.x.net/?retry=1
https:\/\/user:¤@host\/x
https%3A%2F%2Fuser%3A¤%40host%2F
s3://AKIA1:a/¤@bucket/key
DefaultEndpointsProtocol=https;AccountName=a;AccountKey=¤==;EndpointSuffix=core
Server=tcp:x;User ID=u;Password=¤;Encrypt=true
Endpoint=sb://x/;SharedAccessKeyName=R;SharedAccessKey=¤=
curl --password ¤
curl --token=¤
Command '['x', '--api-key', '¤']' returned non-zero
ghp_¤s3cr3tVALUE99
github_pat_11AAAA_¤¤
glpat-¤xyz
hf_¤¤¤
xoxb-12345-67890-¤
sk-proj-¤¤
sk_live_¤¤
eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4eHgifQ.¤
https://hooks.slack.com/services/T000/B000/¤
-----BEGIN RSA PRIVATE KEY-----\n¤\n-----END RSA PRIVATE KEY-----
-----BEGIN OPENSSH PRIVATE KEY-----\n¤
"""
OTHERS_TELLING = {
    "Basic dXNlcjpodW50ZXIy": "Basic ***",
    "Authorization: Basic dXNlcjpodW50ZXIy": "Authorization: ***",
    "key AKIAIOSFODNN7EXAMPLE": "key ***",
    f"AKIAIOSFODNN7EXAMPLE:{AWS}": "***",
    f"('AKIAIOSFODNN7EXAMPLE', '{AWS}')": "('***')",
    "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwoyllqDzg=": "AWS ***",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv": "***",
}
READABLE = r"""
tokens=1024
token=1024
token_count=5 max_tokens=2048 token_ids=[1, 2]
pad_token=<pad> eos_token='</s>' bos_token=abc
continuation_token=abc next_token=def
{"tokens": 1024, "token_count": 7}
tokenizer=gpt2 tokenization: done
Invalid token: foo
unexpected token: }
date=2026-01-01/part=3
key=abc/part=1/file.parquet
data/key=abc/part=1/file.parquet
data/token=abc/part=1
results_key=value.json
s3_key=corpus/federal/a.pdf object_key=x
monkey=1 sort_key=2 primary_key='id' partition_key: day
KeyError: 'key'
bucket/user@example.com/a=b.json
s3://bucket/a@b/key=1/x@y.json
https://host:9000/bucket/a@b
http://[::1]:9000/x@y
file:///data/a:b@c/d
https://host/path?date=2026-01-01&part=3
https://x.blob.core.windows.net/c/f.txt?sv=2020&se=2
mail someone@host about x=1
logo@2x.png
design=5 config=x origin=y orig=5 assign=a
signature_version=4 sigma=1.5
author=Jane authority: x authors=["a"]
the password is wrong
password=None token=null
password_policy=strict key_count=7 secrets_file=/x
secretary=Jane
model-secret-garden.txt
PWD=/srv/prep OLDPWD=/home/user
Basic authentication failed
bearer of bad news
task-0123456789abcdef0123456789abcdef
hf_transformers_model hf_datasets/xyz
sk-learn-random-forest-classifier-model
AKIA is a prefix
cookies=5
pass=1 of 2, passes: 3
--tokens 5 --token-count 7
access_key_path=/x credentials_path=/y
2025-08-05T14:26:52Z host:5432
"""


def lines_of(table):
    return table.strip().splitlines()


@pytest.mark.parametrize("text", lines_of(TELLING))
def test_a_secret_is_hidden(text):
    """The secret goes, by whatever it gives itself away."""
    hidden = STANDARD.text(text.replace("¤", SECRET))

    assert SECRET not in hidden
    assert HIDDEN in hidden


@pytest.mark.parametrize("text", OTHERS_TELLING)
def test_a_secret_is_hidden_by_its_look(text):
    """What has a look of its own needs no name, and takes its secret half along."""
    assert STANDARD.text(text) == OTHERS_TELLING[text]


@pytest.mark.parametrize("text", lines_of(READABLE))
def test_what_only_looks_alike_stays(text):
    """Numbers of tokens, partitions of a path, addresses and ports are no secrets."""
    assert STANDARD.text(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("a?key=1&b=2", "a?key=***&b=2"),
        ('{"password": "x", "a": 1}', '{"password": "***", "a": 1}'),
        ("k?sig=a%3D&se=2", "k?sig=***&se=2"),
        ("AccountName=a;AccountKey=b==;c", "AccountName=a;AccountKey=***;c"),
        ("x%3FX-Amz-Signature%3Da%26b%3Dc", "x%3FX-Amz-Signature%3D***%26b%3Dc"),
        ("curl --password x -o y", "curl --password *** -o y"),
    ],
)
def test_what_is_around_a_secret_stays(text, hidden):
    """Only the secret goes."""
    assert STANDARD.text(text) == hidden


PIECES = [line.replace("¤", SECRET) for line in lines_of(TELLING) + lines_of(READABLE)]
texts = st.lists(
    st.sampled_from(PIECES) | st.sampled_from(["\n", " ", "&", '"', "\\", "%26", "@", "="]),
    max_size=5,
).map("".join)


@given(texts)
def test_what_was_redacted_stays_as_it_is(text):
    """A text may pass here twice, as an error's words do."""
    once = STANDARD.text(text)

    assert STANDARD.text(once) == once


@given(texts)
def test_the_quick_look_passes_over_no_secret(text):
    """What it takes for plain has nothing to hide, as a text and as the name of a file."""
    assert STANDARD.text(text) == text or not STANDARD.is_plain(text)
    assert STANDARD.text(text) == text or not STANDARD.are_plain(text)


# What a job says is secret


def test_a_word_names_a_secret_of_the_job_s():
    """In texts and structures, in whatever case, its words joined in whatever way."""
    redaction = Redaction(["customer_id"])

    assert (
        redaction.text("the customer-id=5, CustomerId: 6") == "the customer-id=***, CustomerId: ***"
    )
    assert redaction.text('{"customer_id": "x"} --customer-id 7') == (
        '{"customer_id": "***"} --customer-id ***'
    )
    assert redaction.hides("Customer ID", 5)
    assert redaction.text("customer_ids=5 my_customer_id_list=6 valid=1") == (
        "customer_ids=5 my_customer_id_list=6 valid=1"
    )


@pytest.mark.parametrize("secret", [re.compile("CORP-[0-9a-f]{8,32}"), "/CORP-[0-9a-f]{8,32}/"])
def test_a_pattern_is_hidden_wherever_it_matches(secret):
    """As it is, or as a text between slashes."""
    assert Redaction([secret]).text("key CORP-0123456789 end") == "key *** end"


def test_a_pattern_that_matches_nothing_hides_nothing():
    """An empty match is no secret."""
    assert Redaction(["/x*/"]).text("axxb") == "a***b"


def test_the_environment_names_secrets_too():
    """For those who cannot change the program: names and expressions with blanks between."""
    redaction = redaction_of(["own"], {"JOURNAL_REDACT": r" customer_id /CORP-\d+/ "})

    assert redaction.text("own=1 customer_id=2 CORP-3 password=4") == (
        "own=*** customer_id=*** *** password=***"
    )


@pytest.mark.parametrize(
    "redact",
    [
        "password",
        b"password",
        5,
        {"password"},
        [5],
        [None],
        [b"x"],
        [""],
        ["//"],
        ["a=b"],
        ["ü"],
        ["/(/"],
        ["/[/"],
        [re.compile(b"x")],
        ["/(a+)+$/"],
        ["/(?:a|aa)*b/"],
        [r"/(?:\w+\s?)*$/"],
        ["/(?:(?:a{1,50}){2,50})/"],
    ],
)
def test_what_is_neither_name_nor_pattern_is_a_value_error(redact):
    """Neither is a pattern that may take for ever."""
    with pytest.raises(ValueError, match="redact"):
        redaction_of(redact, {})


@pytest.mark.parametrize("named", ["/(/", "a=b", "/(a+)+$/"])
def test_a_mistake_in_the_environment_says_where_it_is(named):
    """Nobody would look for it in the program."""
    with pytest.raises(ValueError, match="JOURNAL_REDACT: redact"):
        redaction_of(None, {"JOURNAL_REDACT": named})


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bCORP-[0-9a-f]{8,32}\b",
        "(?:ab)+",
        "(?>a|b)+",
        "(?:a++b)+",
        "a+b+",
        "(foo|bar)",
        "(?:ab?)+",
    ],
)
def test_a_harmless_pattern_is_taken(pattern):
    """A repetition is no danger; one in another is, unless it gives nothing back."""
    Redaction([re.compile(pattern)])


def test_a_pattern_that_takes_long_hides_longer_texts_whole(monkeypatch, caplog):
    """Rather too much is hidden than the job held up again and again; that is said once."""
    monkeypatch.setattr("journal.redaction.REDACT_SECONDS", -1)
    redaction = Redaction(["/x/"])
    assert redaction.text("x" + "a" * 399) == "***" + "a" * 399
    monkeypatch.undo()

    assert redaction.text("a" * 101) == HIDDEN
    assert redaction.text("a" * 100) == "a" * 100
    assert "hidden whole" in caplog.text
