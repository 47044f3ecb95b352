"""`--at` knows no more than was known then, though the host's clock was set meanwhile."""

from fold.stories import BEGAN, RUN, Story

from readers.event import Event
from readers.then import status_at


def test_a_heartbeat_tells_of_a_clock_that_was_set():
    """It was an hour fast; what was said after it was set right is not dated an hour before."""
    main = Story(offset=-3600.0).started().beat(after=3, offset=-3600.0)
    main.minute = -54
    main.say("heartbeat", clock_offset=0.0)
    main.minute = 0
    main.say("error", error="OSError", message="no space left")
    history = [Event(RUN, "main", record, b"") for record in main.records]

    before, after = (status_at(RUN, history, BEGAN + at) for at in (-30 * 60, 60))

    assert before.document["errors"]["count"] == 0
    assert after.document["errors"]["count"] == 1
