"""The command line as a process, and finished runs to prune."""

from cli.conftest import cli
from recorder.fixtures import hasty, local_root, moto_gate, root, spawn, start

__all__ = ["cli", "hasty", "local_root", "moto_gate", "root", "spawn", "start"]
