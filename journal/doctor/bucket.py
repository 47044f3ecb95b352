"""What a bucket is set to, as far as it concerns a journal: mostly pure, of the settings' replies.

A segment is rewritten with every flush, and the chain of segments is what keeps a second writer
out. So it matters what becomes of replaced objects, and whether anything deletes or moves objects
by their age.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self, TypeGuard

from journal.doctor.finding import Finding, Level
from journal.errors import Denied, Refused
from journal.limits import SEGMENT_MAX_BYTES
from journal.stores.contract import Store

# What a rule may not touch an object before: runs last days at most, `journal prune` waits a week.
_KEPT_DAYS: Final = 7
_ARCHIVES: Final = ("GLACIER", "DEEP_ARCHIVE")  # what lies there has to be restored to be read
_CURE: Final = (
    "add the lifecycle rule of tools/policies/lifecycle.json: NoncurrentVersionExpiration after 1 "
    "day, AbortIncompleteMultipartUpload after 1 day"
)

Setting = Mapping[str, Any]


class Bucket(Store, Protocol):
    """A store that lies in a bucket, behind an endpoint."""

    @property
    def identity(self) -> str:
        """The endpoint and the bucket, as a URL."""
        ...

    def regions(self) -> tuple[str, str]:
        """Return the region that requests are signed for, and the bucket's; empty if none says."""
        ...

    def setting(self, name: str) -> dict[str, Any] | None:
        """Return how a setting of the bucket is set, None if it is not."""
        ...


def is_bucket(store: Store) -> TypeGuard[Bucket]:
    """Tell whether a store lies in a bucket."""
    return hasattr(type(store), "setting")


def place(store: Bucket) -> Iterator[Finding]:
    """Yield whether there is such a bucket, and in which region. Raises Unavailable, Refused."""
    ours, theirs = store.regions()
    yield Finding("answer", "ok", f"{store.identity} answers")
    if theirs and theirs != ours:
        says = f"the bucket is in {theirs}, requests are signed for {ours}: each takes a detour"
        yield Finding("region", "warn", says, f"set AWS_DEFAULT_REGION={theirs}")
    else:
        yield Finding("region", "ok", f"requests are signed for {ours}")


def settings(store: Bucket) -> Iterator[Finding]:
    """Yield what the bucket's settings mean to a journal. Raises Unavailable."""
    root = str(store).removeprefix("s3://").partition("/")[2]
    rules: Sequence[Setting] | None
    try:
        rules = (store.setting("bucket_lifecycle_configuration") or {}).get("Rules", [])
    except Refused as error:
        rules = None
        yield _unseen("lifecycle", "s3:GetLifecycleConfiguration", error)
    try:
        set_to = (store.setting("bucket_versioning") or {}).get("Status", "")
    except Refused as error:
        yield _unseen("versioning", "s3:GetBucketVersioning", error)
    else:
        yield versioning(set_to, rules, root)
    if rules is not None:
        yield from lifecycle(rules, root)
    try:
        lock = store.setting("object_lock_configuration") or {}
    except Refused as error:
        yield _unseen("object_lock", "s3:GetBucketObjectLockConfiguration", error)
    else:
        yield object_lock(lock)


def versioning(status: str, rules: Sequence[Setting] | None, root: str) -> Finding:
    """Judge a bucket's versioning; `rules` of its lifecycle are None if nobody may see them."""
    if not status:
        return Finding("versioning", "ok", "off: what is replaced is gone")
    if status != "Enabled":
        says = "suspended: nothing is kept any more; versions from before stay"
        return Finding("versioning", "ok", says)
    limits = [
        rule["NoncurrentVersionExpiration"].get("NoncurrentDays", 0)
        for rule in _enabled(rules or ())
        if "NoncurrentVersionExpiration" in rule and _Choice.of(rule).covers(root)
    ]
    # The figures are those of `python -m tools.bench requests`.
    cost = (
        "on: every rewrite is kept as a version; a run of 6 h with 50,000 files leaves 5,700 of "
        "them, 310 MB beside 10 MB of journal"
    )
    if limits:
        return Finding("versioning", "ok", f"{cost}, for {min(limits)} days by a lifecycle rule")
    lasting = "for good" if rules is not None else "unless a rule that nobody may see removes them"
    return Finding("versioning", "warn", f"{cost}, {lasting}", _CURE)


def lifecycle(rules: Sequence[Setting], root: str) -> Iterator[Finding]:
    """Judge the rules of a lifecycle: what they delete or move under a root."""
    harm = [finding for rule in _enabled(rules) for finding in _harm(rule, root)]
    yield from harm
    if not harm:
        yield Finding(
            "lifecycle", "ok", f"none of {len(rules)} rules deletes or archives a journal"
        )


def object_lock(setting: Setting) -> Finding:
    """Judge a bucket's object lock."""
    lock = setting.get("ObjectLockConfiguration", {})
    kept = lock.get("Rule", {}).get("DefaultRetention", {})
    if not kept:
        return Finding("object_lock", "ok", "nothing is locked by default")
    years, days = kept.get("Years"), kept.get("Days")
    span = f"{years} years" if years else f"{days} days"
    return Finding(
        "object_lock",
        "warn",
        f"every version is locked for {span} ({kept.get('Mode')}): writing works, but no rule can "
        "remove what each rewrite leaves, nor what `journal prune` deletes, before that",
        "keep journals in a bucket without a default retention",
    )


def _harm(rule: Setting, root: str) -> Iterator[Finding]:
    """Yield what a rule does to segments under a root."""
    chosen = _Choice.of(rule)
    if not chosen.may_touch(root):
        return
    name = f"rule {rule.get('ID') or '(no name)'}"
    remedy = f"leave {root or 'the bucket'} out of the rule; `journal prune` removes old runs"
    expiry = rule.get("Expiration", {})
    if "Days" in expiry or "Date" in expiry:
        says = (
            f"{name} deletes segments {_when(expiry)}: readers miss them, and a writer that was "
            "paused for so long could write where another one has written"
        )
        yield Finding("lifecycle", _level(expiry), says, remedy)
    for move in rule.get("Transitions", ()):
        if move.get("StorageClass") in _ARCHIVES:
            says = (
                f"{name} moves segments to {move['StorageClass']} {_when(move)}: unreadable there"
            )
            yield Finding("lifecycle", _level(move), says, remedy)


def _enabled(rules: Sequence[Setting]) -> list[Setting]:
    return [rule for rule in rules if rule.get("Status") == "Enabled"]


def _level(action: Setting) -> Level:
    days = action.get("Days")
    return "bad" if days is not None and days < _KEPT_DAYS else "warn"


def _when(action: Setting) -> str:
    days = action.get("Days")
    return f"on {action.get('Date')}" if days is None else f"{days} days after they were written"


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which objects a rule is for."""

    prefix: str
    is_tagged: bool  # only for objects with a tag, which those of a journal never have
    least_bytes: int
    most_bytes: int | None

    @classmethod
    def of(cls, rule: Setting) -> Self:
        chosen = rule.get("Filter", {})
        both = {**chosen, **chosen.get("And", {})}
        return cls(
            both.get("Prefix") or rule.get("Prefix") or "",
            "Tag" in both or "Tags" in both,
            both.get("ObjectSizeGreaterThan", 0),
            both.get("ObjectSizeLessThan"),
        )

    def may_touch(self, root: str) -> bool:
        """Tell whether the rule is for some objects of a journal under this root."""
        folder = f"{root}/" if root else ""
        is_elsewhere = not (folder.startswith(self.prefix) or self.prefix.startswith(folder))
        return not (is_elsewhere or self.is_tagged or self.least_bytes >= SEGMENT_MAX_BYTES)

    def covers(self, root: str) -> bool:
        """Tell whether the rule is for all objects under this root."""
        folder = f"{root}/" if root else ""
        is_whole = not self.is_tagged and not self.least_bytes and self.most_bytes is None
        return is_whole and folder.startswith(self.prefix)


def _unseen(check: str, right: str, error: Refused) -> Finding:
    if isinstance(error, Denied):
        says, remedy = "these credentials may not look", f"give them {right} to know"
        return Finding(check, "unknown", says, remedy)
    return Finding(check, "unknown", "the server does not tell")
