"""The cursor that a command was given, and where it leaves the one to go on from."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from readers import cursor
from readers.cursor import Places


@dataclass(slots=True)
class Bookmark:
    """Where to go on from: a token, or a file that holds one and is kept up to date."""

    after: str | None
    file: Path | None

    def places(self) -> Places | None:
        """Return the place to go on from, None without one. Raises ValueError, naming the file."""
        if self.after is not None:
            return cursor.decode(self.after)
        if self.file is None:
            return None
        try:
            token = self.file.read_text("utf-8", "replace").strip()
        except FileNotFoundError:
            return None  # the first time
        except OSError as wrong:
            raise ValueError(f"--cursor-file {self.file}: {wrong.strerror}") from wrong
        try:
            return cursor.decode(token) if token else None
        except ValueError as wrong:
            raise ValueError(f"--cursor-file {self.file}: {wrong}") from None

    def put(self, token: str) -> None:
        """Leave a token in the file, whole or not at all. Raises ValueError."""
        if self.file is None:
            return
        try:
            handle, name = tempfile.mkstemp(dir=self.file.parent, prefix=f".{self.file.name}.")
            with os.fdopen(handle, "w") as temporary:
                temporary.write(token + "\n")
            Path(name).replace(self.file)
        except OSError as wrong:
            raise ValueError(f"--cursor-file {self.file}: {wrong.strerror}") from wrong
