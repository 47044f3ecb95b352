"""Lives on a virtual clock are what they claim to be; what is said of them is counted rightly."""

from dataclasses import replace
from math import inf

import pytest

from journal import events, health
from tools.bench.lives import baselines, life, outcome, watch
from tools.bench.lives.course import Course
from tools.bench.lives.host import HostClock
from tools.bench.lives.matrix import Matrix
from tools.bench.lives.outcome import OURS, Onset, Outcome
from tools.bench.lives.process import Process
from tools.bench.lives.script import Burn, Flight, Meter, Script

BEGIN = life.EPOCH


@pytest.fixture(scope="module")
def lives():
    """Some lives, by their fate."""
    return {one.fate.name: one for one in map(life.drawn, range(60))}


def test_a_life_is_the_same_each_time():
    assert life.drawn(7).voices == life.drawn(7).voices


def test_a_hung_lane_keeps_its_file_in_flight_and_moves_no_more():
    script = Script(lanes=1)
    script.file(Flight(0.0, 100.0, "a", "f", 1000, moves=True), 0.1, 10.0)
    (flight,) = script.stopped(40.0, [0]).flights
    assert (flight.moved(30.0), flight.moved(500.0), flight.closes) == (300, 400, inf)


def test_a_lane_that_hung_first_stays_where_it_was():
    script = Script(lanes=2)
    script.file(Flight(0.0, 100.0, "a", "f", 1000, moves=True), 0.1, 10.0)
    (flight,) = script.stopped(40.0, [0]).stopped(90.0, [0, 1]).flights
    assert flight.moved(95.0) == 400


def test_lanes_are_busy_until_they_pause_for_too_long():
    burns = [
        Burn(0.0, 50.0, 1.0, 0.0, 1),
        Burn(55.0, 90.0, 1.0, 0.0, 1),
        Burn(200.0, 300.0, 1, 0, 1),
    ]
    assert Script(burns=burns).busy_until([1], 40.0, gap=100.0) == 90.0


def test_a_meter_sums_up_what_several_lanes_burn():
    meter = Meter([Burn(0.0, 10.0, 1.0, 100.0), Burn(5.0, 15.0, 0.5, 0.0)])
    assert [meter.read(at) for at in (-1.0, 10.0, 99.0)] == [(0, 0), (12.5, 1000), (15.0, 1000)]


def test_no_work_is_done_while_a_machine_sleeps():
    course = Course(100.0, stops=((150.0, 250.0),))
    assert (course.worked(200.0), course.worked(260.0), course.at(60.0)) == (50.0, 60.0, 260.0)


def test_a_clock_that_is_set_shows_it_from_then_on():
    clock = HostClock(0.0, skew=5.0, steps=((10.0, 3600.0),))
    assert (clock.time(9.0), clock.time(11.0)) == (14.0, 3616.0)


def test_a_process_that_says_nothing_beats_when_it_promised():
    assert [round(at) for at, kind in said(Script(end=inf), 700.0) if kind == events.HEARTBEAT] == [
        *(180, 360, 540)
    ]


def test_what_is_said_while_the_store_is_away_arrives_afterwards():
    script = Script(end=inf)
    script.file(Flight(99.0, 100.0, "a", "f", 10, moves=True), 0.1, 10.0)
    (at,) = [at for at, kind in said(script, 700.0, cuts=((90, 400),)) if kind == events.FILE_DONE]
    assert 400 <= at < 460


def test_moving_bytes_are_told_of_on_the_way():
    script = Script(end=inf)
    script.begin_source(1.0, "a", "downloading")
    script.file(Flight(2.0, 3600.0, "a", "f", 10**9, moves=True), 0.1, 10.0)
    told = [at for at, kind in said(script, 600.0) if kind == events.PROGRESS]
    assert len(told) == pytest.approx(600 / 15, abs=4)


def test_the_plain_rule_counts_from_the_jobs_last_word():
    rule = baselines.TenMinutes()
    rule.heard(0.0, [{"type": events.FILE_DONE}])
    rule.heard(300.0, [{"type": events.HEARTBEAT}, {"type": events.ERROR, "by": events.JOURNAL}])
    assert (rule.is_alarmed(600.0), rule.is_alarmed(601.0)) == (False, True)


def test_beats_alone_hold_an_alarm_off():
    rule = baselines.BeatsOnly(200.0)
    rule.heard(300.0, [{"type": events.HEARTBEAT}])
    assert (rule.is_alarmed(900.0), rule.is_alarmed(901.0)) == (False, True)


def test_suspicion_grows_with_a_gap_that_is_unlike_the_others():
    rule = baselines.PhiAccrual()
    rule.heard(0.0, [])
    rule.heard(60.0, [])
    rule.heard(120.0, [])
    rule.heard(180.0, [])
    # The deviation is taken as 5 s: phi is 8 at 5.61 of them behind the mean.
    assert (rule.is_alarmed(180 + 60 + 28), rule.is_alarmed(180 + 60 + 28.1)) == (False, True)


@pytest.mark.parametrize(
    "fate", ["crash", "hang in a socket", "hang in a lock", "livelock of CPU", "completes"]
)
def test_the_verdict_passes(lives, fate):
    matrix = watched(lives[fate])
    assert matrix.wrong == []


def test_a_hung_run_is_called_stalled_and_not_lost(lives):
    said_last = list(watch.Reader(lives["hang in a socket"]).looks())[-1].verdict
    assert (said_last.liveness, said_last.progress) == ("alive", "stalled")


def test_a_verdict_too_quick_is_found_out(lives, monkeypatch):
    monkeypatch.setattr(health, "LOST_PROMISES", 0.2)
    assert watched(lives["completes"]).falsely[OURS] == 1


def test_a_verdict_too_slow_is_found_out(lives, monkeypatch):
    monkeypatch.setattr(health, "LOST_PROMISES", 4)
    assert watched(lives["crash"]).share("dead") < 100


def test_what_is_judged_is_what_the_snapshot_says(lives):
    look = list(watch.Reader(lives["hang in a lock"]).looks())[-1]
    whole = watch.whole_document_of(look.states)
    assert {key: whole[key] for key in look.document} == look.document


def test_an_alarm_at_the_first_poll_behind_the_limit_is_in_time():
    onset = Onset("dead", "crash", 600.0, 540.0, {OURS: 655.0}, {OURS: 598.0})
    assert (onset.is_met(OURS, 600.0), onset.is_met(OURS, 540.0)) == (True, False)


def test_who_never_said_it_was_not_in_time():
    assert not Onset("dead", "crash", 600.0, 540.0, {}, {}).is_met(OURS, 600.0)


def test_the_table_has_a_column_for_each_judge():
    matrix = Matrix()
    matrix.add(replace(EMPTY, onsets=[Onset("dead", "crash", 600.0, 540.0, {OURS: 1.0}, {})]))
    assert {line.count("|") for line in list(matrix.table())[:3]} == {2 + len(outcome.JUDGES)}


EMPTY = Outcome(0, "crash", ())


def watched(one):
    matrix = Matrix()
    matrix.add(outcome.judged(one))
    return matrix


def said(script, seconds, **course):
    """Return when which records arrived, in seconds since the begin."""
    cuts = tuple((BEGIN + begin, BEGIN + end) for begin, end in course.get("cuts", ()))
    voice = Process(
        script,
        Course(BEGIN, until=BEGIN + seconds, cuts=cuts),
        HostClock(BEGIN),
        life.Random(1),
    ).live()
    return [(at - BEGIN, record["type"]) for at, records in voice.arrivals for record in records]
