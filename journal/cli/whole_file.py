"""A file that is there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside it to write to, with the same suffixes; it takes its place at the end.

    What is half done must not look like a whole, so nothing is left if the block fails. Raises
    ValueError if it cannot be written.
    """
    half = path.with_name(f".part-{path.name}")
    try:
        yield half
        half.replace(path)
    except OSError as failed:
        raise ValueError(f"{path} cannot be written: {failed.strerror or failed}") from failed
    finally:
        half.unlink(missing_ok=True)
