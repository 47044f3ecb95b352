"""Servers that enforce rights: a user with a policy on each, and what the owner sees besides."""

import contextlib
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import botocore.session
import pytest
import servers
from botocore.config import Config

from journal.stores import connect
from journal.stores.probe import ensure_probed

POLICIES = Path(__file__).parents[2] / "tools" / "policies"

Policy = dict[str, Any]


def policy(role: str) -> Policy:
    """The policy of a role as it is published."""
    found: Policy = json.loads((POLICIES / f"{role}.json").read_text())
    return found


def actions(published: Policy) -> list[str]:
    return [statement["Action"] for statement in published["Statement"]]


def without(published: Policy, action: str) -> Policy:
    """A policy with one action taken out."""
    kept = [one for one in published["Statement"] if one["Action"] != action]
    assert len(kept) == len(published["Statement"]) - 1
    return {**published, "Statement": kept}


class Guarded:
    """A root on a server that enforces rights; the environment is that of a user with none."""

    def __init__(self, server: servers.S3Server, patch: pytest.MonkeyPatch) -> None:
        self.root = server.root()
        self._server = server
        self._iam, self._user, environment = _user_of(server)
        for name, value in environment.items():
            patch.setenv(name, value)
        with self.owner():
            ensure_probed(connect(self.root))  # remembered from then on

    def allow(self, published: Policy) -> None:
        """Give the user a policy, in place of what it had."""
        bucket, prefix = self.root.removeprefix("s3://").split("/", 1)
        text = json.dumps(published).replace("BUCKET", bucket).replace("training-runs", prefix)
        with self._unguarded():
            self._iam.put_user_policy(
                UserName=self._user, PolicyName="role", PolicyDocument=self._known(text)
            )

    @contextlib.contextmanager
    def owner(self) -> Iterator[None]:
        """Be the owner, who may do anything, for a while."""
        with self._unguarded(), pytest.MonkeyPatch.context() as patch:
            for name, value in self._server.environment.items():
                patch.setenv(name, value)
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @contextlib.contextmanager
    def _unguarded(self) -> Iterator[None]:
        yield

    def _known(self, policy: str) -> str:
        """What the server understands of a policy."""
        return policy


class GuardedByMoto(Guarded):
    """moto checks signatures and policies only if it is told to, and no condition on a prefix."""

    def __enter__(self) -> Self:
        _enforce(on=True)
        return self

    def __exit__(self, *_: object) -> None:
        _enforce(on=False)

    @contextlib.contextmanager
    def _unguarded(self) -> Iterator[None]:
        _enforce(on=False)
        yield
        _enforce(on=True)

    def _known(self, policy: str) -> str:
        document = json.loads(policy)
        for statement in document["Statement"]:
            statement.pop("Condition", None)
        return json.dumps(document)


GUARDS = {"weed": Guarded, "moto": GuardedByMoto}


def _enforce(*, on: bool) -> None:
    """Have the moto of this process enforce rights, or not."""
    from moto import settings  # noqa: PLC0415  # takes seconds to import
    from moto.core.authorization import ActionAuthenticatorMixin  # noqa: PLC0415

    ActionAuthenticatorMixin.request_count = 0
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0 if on else float("inf")


@functools.cache
def _user_of(server: servers.S3Server) -> tuple[Any, str, dict[str, str]]:
    """Make a user, the same for all tests; return who may give it rights, its name and keys."""
    iam = botocore.session.get_session().create_client(
        "iam",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=servers.ACCESS_KEY,
        aws_secret_access_key=servers.SECRET_KEY,
        config=Config(retries={"total_max_attempts": 1}),
    )
    iam.create_user(UserName="guarded")
    key = iam.create_access_key(UserName="guarded")["AccessKey"]
    environment = {
        "AWS_ENDPOINT_URL_S3": server.endpoint,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    return iam, "guarded", environment
