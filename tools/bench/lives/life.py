"""A run from its first record to its end, and the truth about it; drawn from a seed."""

from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from typing import Final, Literal

from tools.bench.lives import fate as fates
from tools.bench.lives import recordings, trouble, work
from tools.bench.lives.course import Course
from tools.bench.lives.fate import Fate
from tools.bench.lives.host import HostClock
from tools.bench.lives.process import Process
from tools.bench.lives.script import Script
from tools.bench.lives.trouble import Troubles
from tools.bench.lives.uplink import Voice

EPOCH: Final = 1_770_000_000.0  # a day in February 2026
_LONG_SECONDS: Final = 2400.0
_SEEN_SECONDS: Final = 45.0  # until readers see that something has begun or ended
_HORIZON_SECONDS: Final = 2.3 * 3600  # after an onset: twice the longest limit, and some

Condition = Literal["healthy", "dead", "hung", "livelock", "apart", "between", "ended"]


@dataclass(frozen=True, slots=True)
class Span:
    """What is true of a run for a while, half-open."""

    begin: float
    end: float
    condition: Condition


@dataclass(slots=True)
class Life:
    """What readers could see of a run, and what they should say."""

    seed: int
    fate: Fate
    features: set[str] = field(default_factory=set)
    voices: list[Voice] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)  # in order, without gaps
    apart: list[tuple[float, float]] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    status: str | None = None  # how it ends, None if it does not
    reads_log: bool = True  # the reader folds the log itself, or trusts the installed snapshot
    promised: float = 200.0
    excused_seconds: float = 0.0  # from the onset on, by a wait that was declared before it

    @property
    def begin(self) -> float:
        """When its first process began."""
        return self.spans[0].begin

    @property
    def end(self) -> float:
        """When nobody looks at it any more."""
        return self.spans[-1].end

    def condition(self, at: float) -> Condition:
        """Return what is true at a time."""
        if any(begin <= at < end for begin, end in self.apart):
            return "apart"
        for span in self.spans:
            if span.begin <= at < span.end:
                return span.condition
        return self.spans[-1].condition

    def is_blind(self, at: float) -> bool:
        """Whether the reader cannot reach the store."""
        return any(begin <= at < end for begin, end in self.outages)


class _Draft:
    """Draws one life, part by part, always in the same order."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = Random(seed)
        fate = chance.choices(list(fates.FATES.values()), [f.weight for f in fates.FATES.values()])
        self.life = Life(seed, fate[0])
        self.begin = EPOCH + chance.uniform(0, 86400)
        self.heartbeat = 60.0 if chance.random() < 0.1 else 180.0
        self.life.promised = self.heartbeat + 20.0
        self.life.reads_log = chance.random() < 0.5
        self.manner = work.Manner(
            waits=self._has("declared waits", 0.2),
            retries=self._has("errors and retries", 0.2),
            limits=self._has("declared limits", 0.1),
            quiets=self._has("quiet stretches", 0.25),
        )

    def _has(self, feature: str, likely: float) -> bool:
        if self.chance.random() >= likely:
            return False
        self.life.features.add(feature)
        return True

    def life_of(self) -> Life:
        """Draw all of it."""
        if self._has("several attempts", 0.1):
            self._earlier_attempt()
        several = self._has("several streams", 0.12)
        scripts = self._crew() if several else {"main": self._script("main")}
        self._note(scripts)
        self._last_attempt(scripts)
        return self.life

    def _note(self, scripts: dict[str, Script]) -> None:
        """Name what the work has in it."""
        flights = [flight for script in scripts.values() for flight in script.flights]
        if any(flight.end - flight.begin >= _LONG_SECONDS for flight in flights):
            self.life.features.add("a file of 40 minutes or more")
        if any(work.SLOW in flight.source for flight in flights):
            self.life.features.add("a slow link")

    def _script(self, name: str) -> Script:
        chance = self.chance
        seconds = 1200 * 12 ** chance.random()  # 20 minutes to 4 hours
        if self._has("recorded work", 0.2):
            return recordings.work(chance, chance.choice(recordings.names()), seconds)
        lanes = chance.choice((1, 1, 1, 2, 4, 8))
        if self.life.fate.name.startswith("black hole"):
            lanes = max(lanes, 2)
        return work.Worker(chance, self.manner, name).work(seconds, lanes)

    def _crew(self) -> dict[str, Script]:
        """Draw a main process and its workers; it may only wait for them."""
        workers = {f"worker-{n}": self._script(f"w{n}") for n in range(self.chance.randint(1, 3))}
        longest = max(script.end for script in workers.values())
        main = work.idle(self.chance, longest + 30.0)
        return {"main": main, **workers}

    def _clock(self) -> HostClock:
        if not self._has("clock astray", 0.3):
            return HostClock(self.begin, self.chance.gauss(0, 0.3))
        clock = HostClock.drawn(self.chance, self.begin, self.begin + 4 * 3600)
        if clock.steps:
            self.life.features.add("clock set anew")
        return clock

    def _earlier_attempt(self) -> None:
        """Let a first attempt crash, be told to end, or be taken over; and some time pass."""
        chance, life = self.chance, self.life
        script = self._script("first")
        at = script.end * chance.uniform(0.1, 0.9)
        end = chance.choice(("crash", "preempted", "taken over"))
        course = Course(self.begin, heartbeat_seconds=self.heartbeat)
        if end == "preempted":
            script, status = fates.ended(script, at), "preempted"
        else:
            course, status = replace(course, until=self.begin + at), "completed"
        process = Process(script, course, self._clock(), chance, status=status)
        voice = process.live()
        over = self.begin + at
        again = over + (0.0 if end == "taken over" else 10 ** chance.uniform(1, 4))
        life.voices.append(voice)
        life.spans.append(Span(self.begin, over, "healthy"))
        seen = again + _SEEN_SECONDS
        between: Condition = {"crash": "dead", "preempted": "between"}.get(end, "healthy")  # type: ignore[assignment]
        life.spans.append(Span(over, seen, between))
        self.begin = again

    def _last_attempt(self, scripts: dict[str, Script]) -> None:
        chance, life, fate = self.chance, self.life, self.life.fate
        length = scripts["main"].end
        strikes = self._strike_time(scripts)
        last = length if fate.ill is None else strikes
        troubles = trouble.drawn(chance, list(scripts.values()), self.begin, last, life.promised)
        life.features |= troubles.names
        life.apart, life.outages = troubles.apart, troubles.outages
        onset = strikes
        for name, script in scripts.items():
            if fate.ill is not None and (name != "main" or len(scripts) == 1):
                scripts[name], shown = fates.struck(fate, script, strikes, chance)
                onset = max(onset, shown)
        if fate.ill is not None and len(scripts) > 1:
            scripts["main"].end = inf  # it waits for the others
        self._live(scripts, troubles, strikes, onset)

    def _strike_time(self, scripts: dict[str, Script]) -> float:
        """Choose when the fate strikes: at work, and outside of declared waits if there is such."""
        shortest = min(script.end for script in scripts.values())
        waits = [wait for script in scripts.values() for wait in script.waits]
        at = 0.0
        for _ in range(50):
            at = shortest * self.chance.uniform(0.1, 0.95)
            if all(not begin <= at < end for begin, end in waits):
                break
        return at

    def _live(
        self, scripts: dict[str, Script], troubles: Troubles, strikes: float, onset: float
    ) -> None:
        life, fate = self.life, self.life.fate
        course = Course(
            self.begin,
            stops=tuple(troubles.stops),
            cuts=tuple(troubles.cuts),
            heartbeat_seconds=self.heartbeat,
        )
        struck_at = course.at(strikes)
        ill_from = course.at(onset)
        waits = [wait for script in scripts.values() for wait in script.waits]
        excused = max((end for begin, end in waits if begin <= strikes), default=0.0)
        life.excused_seconds = max(0.0, course.at(excused) - ill_from)
        horizon = ill_from + life.excused_seconds + _HORIZON_SECONDS
        if fate.ill == "unknowable":
            course = replace(course, cuts=(*course.cuts, (struck_at, inf)))
            horizon = struck_at + 3600
        if fate.ill is not None:
            course = replace(course, until=struck_at if fate.stops_pump else horizon)
        life.status = {"completes": "completed", "fails": "failed"}.get(fate.name)
        self._raise_voices(scripts, course)
        self._tell_truth(course, struck_at, ill_from, scripts["main"].end)

    def _raise_voices(self, scripts: dict[str, Script], course: Course) -> None:
        """Let the processes live; now and then one of several is gone half-way."""
        chance, life = self.chance, self.life
        attempt, clock = len(life.voices) + 1, self._clock()
        bereaved = None
        if life.fate.ill is None and len(scripts) > 2 and self._has("a worker crashed", 0.3):
            # The one that would be done first: the others have work for longer.
            bereaved = min((n for n in scripts if n != "main"), key=lambda n: scripts[n].end)
        for name, script in scripts.items():
            own = course
            if name == bereaved:
                own = replace(course, until=course.at(script.end * 0.5))
            process = Process(
                script,
                own,
                clock,
                chance,
                stream=name,
                attempt=attempt if name == "main" else 1,
                epoch=attempt if name == "main" else 1,
                status=life.status or "completed",
            )
            life.voices.append(process.live())

    def _tell_truth(self, course: Course, struck_at: float, ill_from: float, end: float) -> None:
        life, ill = self.life, self.life.fate.ill
        if ill is None:
            over = course.at(end)
            life.spans.append(Span(self._told(), over + _SEEN_SECONDS, "healthy"))
            life.spans.append(Span(over + _SEEN_SECONDS, over + 900, "ended"))
            return
        onset = struck_at if life.fate.stops_pump or ill == "unknowable" else ill_from
        life.spans.append(Span(self._told(), onset, "healthy"))
        condition: Condition = "apart" if ill == "unknowable" else ill
        seconds = life.excused_seconds + _HORIZON_SECONDS
        if ill in ("dead", "unknowable"):
            seconds = 3600.0
        life.spans.append(Span(onset, onset + seconds, condition))

    def _told(self) -> float:
        return self.life.spans[-1].end if self.life.spans else self.begin


def drawn(seed: int) -> Life:
    """Return the life of a seed."""
    return _Draft(seed).life_of()
