"""The fixtures of these tests."""

from recorder.fixtures import hasty, local_root, moto_gate, root, spawn, start

__all__ = ["hasty", "local_root", "moto_gate", "root", "spawn", "start"]
