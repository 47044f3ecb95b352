"""What others wrote into a run's document, and the journal carries over. Pure.

The pipeline's shell script and the training host overwrite the document whole, each with fields of
its own. So what is missing from the one is taken from the document before.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from journal.clock import parse_stamp
from journal.limits import CARRIED_BYTES

FILLED: Final = ("start_time", "instance_id")  # what the journal fills in where others did not


def carried(
    own: Mapping[str, Any], stored: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields of `stored` that are not the journal's `own`, and what it lacks of them.

    That is in `before`, the document that was there earlier. A value that is stored wins; null is
    as good as none.
    """
    there, earlier = _foreign(own, stored), _foreign(own, before)
    room = CARRIED_BYTES
    for key, value in earlier.items():
        if there.get(key) is None and value is not None:
            room -= len(key) + len(orjson.dumps(value))
            if room >= 0:
                there[key] = value  # behind what is stored, or the order would never settle
    return there


def _foreign(own: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    journal = document.get("journal")
    noted = journal.get("filled") if isinstance(journal, dict) else None
    filled = [key for key in FILLED if isinstance(noted, list) and key in noted]
    left_out = {*own, *filled, "journal"}
    return {key: value for key, value in document.items() if key not in left_out}


def progress(
    own: Mapping[str, Any], stored: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what `carried` does, of `progress` in each of the documents."""
    parts = [document.get("progress") for document in (stored, before)]
    there, earlier = (part if isinstance(part, dict) else {} for part in parts)
    return carried(own, there, earlier)


def updated(document: Mapping[str, Any]) -> float | None:
    """Return a document's `last_update` in seconds since the epoch, None if it holds none."""
    try:
        return parse_stamp(document["last_update"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
