"""The fixtures of these tests."""

from recorder.fixtures import local_root, root, start

__all__ = ["local_root", "root", "start"]
