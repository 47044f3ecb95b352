"""A program's stderr: passed on unchanged as it comes, its last bytes kept.

A process of its own copies, until the last that holds the program's stderr lets go of it. So the
program writes into something if this process is killed, and a daemon that it leaves behind goes on
writing, while nobody here waits for that daemon. Where our stderr is a terminal, the program's is
one too: of the same size, and doing nothing to what is written, since ours does that.

What the program writes to stdout and to stderr goes two ways: where both end in one place, lines of
the two may change their order by an instant.
"""

import os
import select
from contextlib import suppress
from typing import Final, NoReturn

from journal.limits import ECHO_BYTES, ECHO_DRAIN_BYTES, ECHO_TAIL_BYTES

_STDERR: Final = 2


class Echo:
    """Begins to copy when it is made, with signals blocked that should not end the copying.

    `entrance` is the descriptor that is to be the program's stderr. Raises OSError, without a
    stderr of our own for one.
    """

    def __init__(self) -> None:
        os.fstat(_STDERR)
        self._is_terminal = os.isatty(_STDERR)
        exit_, self.entrance = _terminal() if self._is_terminal else os.pipe()
        # The copier hears of our end by the one, and of its beginning to end we by the other.
        hold, self._hold = os.pipe()
        self._told, tell = os.pipe()
        if os.fork() == 0:
            _be_copier(exit_, hold, tell)
        os.close(hold)
        os.close(tell)
        self._exit = exit_ if self._is_terminal else None
        if not self._is_terminal:
            os.close(exit_)

    def shut(self) -> None:
        """Leave the entrance to the program, which was started meanwhile, or could not be."""
        os.close(self.entrance)

    def resize(self) -> None:
        """Give the program's terminal the size that ours has now."""
        if self._exit is not None:
            with suppress(OSError):
                _copy_size(_STDERR, self._exit)

    def end(self) -> bytes:
        """Wait until all that the program has written is passed on; return the last bytes of it.

        To be called once, when the program has ended.
        """
        os.close(self._hold)
        tail = b""
        while more := os.read(self._told, ECHO_TAIL_BYTES):
            tail += more
        os.close(self._told)
        return tail


def _terminal() -> tuple[int, int]:
    """Return both ends of a terminal like ours, that changes nothing of what is written."""
    import termios  # noqa: PLC0415 - not needed in a pipeline, where there is no terminal

    exit_, entrance = os.openpty()
    modes = termios.tcgetattr(entrance)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(entrance, termios.TCSANOW, modes)
    with suppress(OSError):
        _copy_size(_STDERR, exit_)
    return exit_, entrance


def _copy_size(source: int, target: int) -> None:
    import termios  # noqa: PLC0415

    termios.tcsetwinsize(target, termios.tcgetwinsize(source))


def _be_copier(source: int, hold: int, tell: int) -> NoReturn:
    """Copy from `source`, in the process just forked, and never return."""
    code = 1
    try:
        # Neither the terminal's signals nor its end are for us, nor what else is open here: a
        # lock or a pipe that the program's daemons do not hold must not stay held.
        os.setsid()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for place in (0, 1):
            os.dup2(null, place)
        _close_all_but(source, hold, tell)
        _copy(source, hold, tell)
        code = 0
    finally:
        os._exit(code)


def _close_all_but(*kept: int) -> None:
    begin = _STDERR + 1
    for number in sorted(kept):
        os.closerange(begin, number)
        begin = max(begin, number + 1)
    os.closerange(begin, os.sysconf("SC_OPEN_MAX"))


def _copy(source: int, hold: int, tell: int) -> None:
    """Pass on what comes; once `hold` is let go of and nothing waits, say what came last."""
    ready = select.poll()
    ready.register(source, select.POLLIN)
    ready.register(hold, 0)  # a hang-up is told of anyway
    tail, since = b"", None
    while True:
        events = dict(ready.poll())
        if hold in events and since is None:
            since = 0
        data = _read(source) if source in events else None
        if data:
            tail = (tail + data)[-ECHO_TAIL_BYTES:]
            _write(data)
            since = None if since is None else since + len(data)
        # What a daemon writes without a pause is not waited for.
        if since is not None and (not data or since >= ECHO_DRAIN_BYTES):
            with suppress(OSError):
                os.write(tell, tail)
            os.close(tell)
            ready.unregister(hold)
            os.close(hold)
            hold, since = -1, None
        if data == b"":
            if hold >= 0:
                with suppress(OSError):
                    os.write(tell, tail)
            return


def _read(source: int) -> bytes:
    try:
        return os.read(source, ECHO_BYTES)
    except OSError:  # a terminal whose last user has gone
        return b""


def _write(data: bytes) -> None:
    """Write all to our stderr. Raises BrokenPipeError: then the program's breaks with ours."""
    while data:
        try:
            data = data[os.write(_STDERR, data) :]
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(_STDERR, select.POLLOUT)
            waiting.poll()
        except BrokenPipeError:
            raise
        except OSError:  # a full disk: the program itself would hardly have minded
            return
