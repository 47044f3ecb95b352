"""Runs of even work, and what is said of the time they still take."""

from fold.stories import Story

from journal.eta import forecast


class Run(Story):
    """A story whose files say how long they took."""

    def work(self, name, count, *, minutes=1.0, bytes=100, at_once=1):
        """So many files, each of so many minutes; `at_once` of them go on side by side."""
        for number in range(count):
            self.say(
                "file_done",
                after=minutes / at_once,
                source=name,
                path=f"{name}/{number}",
                bytes=bytes,
                seconds=minutes * 60,
            )
        return self

    @property
    def left(self):
        """Minutes that the run is said to take still, None if nothing is said."""
        return minutes(forecast([self.state]).run)

    @property
    def span(self):
        """The low and high of them."""
        run = forecast([self.state]).run
        return run.low / 60, run.high / 60


def minutes(estimate):
    return None if estimate is None else estimate.remaining / 60


def even(sources="ab", *, files=20, bytes=2000, **started):
    """A run of sources all alike, said ahead; the first one is begun."""
    ahead = [{"source": name, "files": files, "bytes": bytes} for name in sources]
    run = Run().started(sources=ahead, **started)
    return run.source(sources[0], files=files, bytes=bytes)
