"""Whether anything is journaled at all: JOURNAL_MODE."""

import os
from typing import Final

DISABLED: Final = "disabled"


def is_disabled() -> bool:
    """Tell whether JOURNAL_MODE turns the journal off. Raises ValueError for other modes."""
    mode = os.environ.get("JOURNAL_MODE", "")
    if mode not in ("", DISABLED):
        raise ValueError(f"JOURNAL_MODE is {mode!a}: unset it, or set it to `{DISABLED}`")
    return mode == DISABLED
