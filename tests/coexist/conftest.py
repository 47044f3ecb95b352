"""The fixtures of these tests, and the profile that the environment names."""

import profiles
from recorder.fixtures import hasty, local_root, moto_gate, root, spawn, start

__all__ = ["hasty", "local_root", "moto_gate", "root", "spawn", "start"]

profiles.load()
