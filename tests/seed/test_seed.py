"""The case that the journal was made for: silences that are work, and silences that are not.

Real processes on compressed time: what takes a minute in life takes MINUTE here.
"""

from recorder.stored import records
from seed.minutes import LONG_FILE, MINUTE, STALL_AFTER

from journal.clock import parse_stamp
from journal.health import verdict

BAD_FILE = "corpus-3/1.tar"


def of_type(life, kind):
    found = records(life.root, run_id=life.run_id)
    return [record for record in found if record["type"] == kind]


def later(look, promises):
    """What is to be said of a run of which no more was heard for so many promised silences."""
    vitals = look.document["vitals"]
    passed = promises * vitals["silence_promised_seconds"]
    return verdict(look.document, parse_stamp(vitals["last_record"]) + passed)


def test_forty_minutes_without_a_file_are_no_time_out(lives):
    """The old monitor sees a run at work from the beginning to the end, and never anything else."""
    slow = lives["slow"]

    (bad,) = [record for record in of_type(slow, "file_done") if record["path"] == BAD_FILE]
    assert bad["seconds"] >= LONG_FILE - MINUTE
    assert slow.monitor == ["RUNNING", "SUCCEEDED"]


def test_forty_minutes_without_a_file_are_slow(lives):
    """Readers call it alive all along, first advancing, then slow: nobody is called for it."""
    slow = lives["slow"]

    assert slow.said("liveness") == ["alive"]
    assert slow.said("progress") == ["advancing", "slow", "advancing"][: len(slow.said("progress"))]
    assert "slow" in slow.said("progress")
    assert set(slow.said("health")) == {"ok", "warn"}
    assert of_type(slow, "stack") == []
    why = next(look.verdict.why for look in slow.looks if look.verdict.progress == "slow")
    assert "1 in flight and" in why
    assert "slow, not stuck" in why


def test_a_black_hole_is_a_stall(lives):
    """A connection through which nothing comes any more: alive, and stalled by the limit told."""
    hole = lives["black-hole"]

    assert hole.said("liveness") == ["alive"]
    assert hole.said("progress")[-1] == "stalled"
    assert hole.said("progress").count("stalled") == 1
    last = hole.looks[-1].verdict
    assert last.health == "critical"
    assert "1 in flight; the limit is 20 s (declared for downloading_policy)" in last.why


def test_a_stall_says_where_the_job_hangs(lives):
    """While it is stalled the journal holds the stack: which call, and on whose behalf."""
    hole = lives["black-hole"]

    stack = of_type(hole, "stack")[0]
    assert (stack["by"], stack["stall_seconds"]) == ("journal", STALL_AFTER)
    assert "in download\n" in stack["traceback"]
    assert "recv_into" in stack["traceback"]


def test_a_stalled_run_is_not_kept_fresh(lives):
    """Beats go on and `last_update` does not, so the old monitor's alarm is true when it comes."""
    hole = lives["black-hole"]

    assert hole.monitor == ["RUNNING", "TIMED_OUT"]
    frozen = {look.document["last_update"] for look in hole.looks[-4:]}
    assert len(frozen) == 1
    beaten = parse_stamp(hole.looks[-1].document["vitals"]["last_record"])
    assert beaten > parse_stamp(frozen.pop()) + 5 * MINUTE
    given_up = [look for look in hole.looks if look.monitor == "TIMED_OUT"]
    assert {look.verdict.progress for look in given_up} == {"stalled"}


def test_a_killed_run_is_lost(lives):
    """A killed process says nothing: late after two promised silences, lost after three."""
    last = lives["killed"].looks[-1]

    answers = [later(last, promises).liveness for promises in (1.9, 2.9, 3.1)]
    assert answers == ["alive", "late", "lost"]
    assert later(last, 3.1).health == "critical"
    assert lives["killed"].monitor == ["RUNNING", "TIMED_OUT"]


def test_a_call_that_holds_the_interpreter_is_no_stall(lives):
    """Nobody hears of it meanwhile, so nobody calls it idle; held on, it is as good as lost."""
    held = lives["held"]

    assert held.said("liveness") == ["alive"]
    assert "stalled" not in held.said("progress")
    assert held.monitor[-1] == "SUCCEEDED"
    silent = max(held.looks[:-1], key=lambda look: look.at - seen(look))
    assert silent.at - seen(silent) > 4 * MINUTE
    assert later(silent, 3.1).liveness == "lost"


def seen(look):
    return parse_stamp(look.document["vitals"]["last_record"])


def test_the_culprit_that_held_the_interpreter_is_written_down(lives):
    """As soon as the journal's threads run again it says who kept them from it."""
    (error,) = of_type(lives["held"], "error")

    assert (error["error"], error["by"], error["fatal"]) == ("Starved", "journal", False)
    assert "hold_the_interpreter" in error["traceback"]
