"""What a bucket's settings mean to a journal under `training-runs`."""

import json
from pathlib import Path

import pytest
import servers

from journal.doctor import bucket
from journal.errors import Denied, Refused
from journal.stores import connect
from journal.stores.memory import MemoryStore

POLICIES = Path(__file__).parents[2] / "tools" / "policies"
CURE = json.loads((POLICIES / "lifecycle.json").read_text())["Rules"]
ROOT = "training-runs"


def rule(action, prefix="", **chosen):
    """A lifecycle rule that is on."""
    return {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": prefix, **chosen}, **action}


def expiry(days, prefix="", **chosen):
    return rule({"Expiration": {"Days": days}}, prefix, **chosen)


def archive(days, kind="GLACIER"):
    return rule({"Transitions": [{"Days": days, "StorageClass": kind}]})


def old_versions(prefix="", **chosen):
    return rule({"NoncurrentVersionExpiration": {"NoncurrentDays": 3}}, prefix, **chosen)


def harm(*rules):
    return [finding.level for finding in bucket.lifecycle(rules, ROOT)]


@pytest.mark.parametrize(
    ("given", "level"),
    [
        (expiry(1), "bad"),
        (expiry(6), "bad"),
        (expiry(7), "warn"),
        (expiry(1, "training-runs/"), "bad"),
        (expiry(1, "training"), "bad"),
        (expiry(1, "training-runs/mistral"), "bad"),
        (expiry(1, "logs/"), "ok"),
        (expiry(1, "training-runs2/"), "ok"),
        (expiry(1, Tag={"Key": "a", "Value": "b"}), "ok"),
        (expiry(1, And={"Prefix": "logs/", "ObjectSizeLessThan": 5}), "ok"),
        (expiry(1, And={"Prefix": "training-runs/", "ObjectSizeLessThan": 5}), "bad"),
        (expiry(1, ObjectSizeGreaterThan=100_000_000), "ok"),
        (expiry(1) | {"Status": "Disabled"}, "ok"),
        ({"Status": "Enabled", "Prefix": "logs/", "Expiration": {"Days": 1}}, "ok"),
        (rule({"Expiration": {"Date": "2027-01-01"}}), "warn"),
        (rule({"Expiration": {"ExpiredObjectDeleteMarker": True}}), "ok"),
        (archive(1), "bad"),
        (archive(30, "DEEP_ARCHIVE"), "warn"),
        (archive(1, "STANDARD_IA"), "ok"),
        (old_versions(), "ok"),
    ],
)
def test_rules_that_hurt(given, level):
    """A rule hurts if it deletes or archives what lies under the root; soon, it is bad."""
    assert harm(given) == [level]


def test_each_rule_that_hurts_is_named():
    """There is a finding for each, and none that says all is well beside them."""
    assert harm(expiry(1), expiry(9), archive(1), old_versions()) == ["bad", "warn", "bad"]


@pytest.mark.parametrize(
    ("status", "rules", "level"),
    [
        ("", [], "ok"),
        ("Suspended", [], "ok"),
        ("Enabled", [], "warn"),
        ("Enabled", None, "warn"),
        ("Enabled", [old_versions()], "ok"),
        ("Enabled", [old_versions("training-runs/")], "ok"),
        ("Enabled", [old_versions("training-runs/mistral")], "warn"),
        ("Enabled", [old_versions(ObjectSizeGreaterThan=1_000_000)], "warn"),
        ("Enabled", [old_versions() | {"Status": "Disabled"}], "warn"),
        ("Enabled", CURE, "ok"),
    ],
)
def test_versions(status, rules, level):
    """Versions cost unless a rule for the whole root removes them."""
    assert bucket.versioning(status, rules, ROOT).level == level


def test_the_published_cure_does_no_harm():
    """The rule that the remedy names deletes no segment."""
    assert harm(*CURE) == ["ok"]


@pytest.mark.parametrize(
    ("setting", "level"),
    [
        ({}, "ok"),
        ({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}, "ok"),
        (
            {
                "ObjectLockConfiguration": {
                    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}
                }
            },
            "warn",
        ),
    ],
)
def test_object_lock(setting, level):
    """Only a default retention makes rewriting dear."""
    assert bucket.object_lock(setting).level == level


class Settings(MemoryStore):
    """A bucket of which nothing may be seen, for the reason given."""

    identity = "http://127.0.0.1:1/bucket"

    def __init__(self, error):
        super().__init__()
        self.error = error

    def setting(self, name):
        raise self.error


def test_what_may_not_be_seen_is_unknown():
    """No right to look is no fault; the remedy names the rights."""
    findings = list(bucket.settings(Settings(Denied("GET: 403; give it"))))

    assert {finding.level for finding in findings} == {"unknown"}
    assert [finding.remedy.split()[2] for finding in findings] == [
        "s3:GetLifecycleConfiguration",
        "s3:GetBucketVersioning",
        "s3:GetBucketObjectLockConfiguration",
    ]


def test_what_a_server_does_not_know_is_unknown():
    """A server without such settings has nothing to say."""
    findings = list(bucket.settings(Settings(Refused("GET: 501"))))

    assert {(one.level, one.says) for one in findings} == {("unknown", "the server does not tell")}


@pytest.mark.parametrize("server", ["moto_server", "weed_server"])
def test_settings_of_real_servers(request, monkeypatch, server):
    """What is set is what is found, and the published cure is taken and heeded."""
    one: servers.S3Server = request.getfixturevalue(server)
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    name = one.bucket()
    store = connect(f"s3://{name}/{ROOT}")
    plain = {finding.check: finding.level for finding in bucket.settings(store)}
    one.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    versioned = {finding.check: finding.level for finding in bucket.settings(store)}
    one.client.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": CURE}
    )
    cured = {finding.check: finding.level for finding in bucket.settings(store)}

    assert plain == {"versioning": "ok", "lifecycle": "ok", "object_lock": "ok"}
    assert versioned == plain | {"versioning": "warn"}
    assert cured == plain


def test_a_bucket_elsewhere(moto_server, monkeypatch):
    """A client that signs for another region is told the bucket's."""
    for name, value in moto_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    answer, region = bucket.place(connect(f"s3://{moto_server.bucket()}/{ROOT}"))

    assert (answer.level, region.level) == ("ok", "warn")
    assert region.remedy == "set AWS_DEFAULT_REGION=us-east-1"


def test_a_bucket_that_is_not_there(moto_server, monkeypatch):
    """It is said, with what to do."""
    for name, value in moto_server.environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Refused, match="NoSuchBucket; create the bucket"):
        list(bucket.place(connect(f"s3://nowhere/{ROOT}")))
