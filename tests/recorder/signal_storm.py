"""A wait for the store that signal handlers interrupt with waits of their own, at every moment."""

import random
import signal

from journal.recorder.intake import Waiter

waiter = Waiter()
signal.signal(signal.SIGALRM, lambda *_: waiter.wait(0))
for _ in range(10_000):
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 2e-5))
    waiter.wait(0)
signal.setitimer(signal.ITIMER_REAL, 0)
