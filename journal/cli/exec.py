"""`journal exec`: run a program as it would run without, and journal it from beside.

The program is started before the journal is imported: it must not wait for what it does not need.
"""

import errno
import os
import signal
import sys
from contextlib import suppress
from threading import Event, Thread
from typing import Any, Final

from journal.cli.exec_options import help_text, parsed
from journal.recorder.child import ENDING, Child, Signals, exit_code
from journal.recorder.echo import Echo
from journal.recorder.mode import is_disabled

_USAGE: Final = 2
_WRAPPER_FAILED: Final = 125
_NOT_EXECUTABLE: Final = 126
_NOT_FOUND: Final = 127


def run_exec(arguments: list[str]) -> int:
    """Run what the arguments say; return the exit code of `journal exec`."""
    try:
        given, command = parsed(arguments)
    except ValueError as wrong:
        _complain(str(wrong), "try `journal exec --help`")
        return _USAGE
    if not command:
        sys.stdout.write(help_text())
        return 0
    try:
        if is_disabled():
            return _become(command)
    except ValueError as wrong:
        _complain(f"{wrong}; nothing is journaled")
        return _become(command)
    settled = _settled(given, command)
    signals = Signals()
    try:
        echo: Echo | None = Echo()
    except OSError:
        echo = None  # we have no stderr ourselves, or there can be no more processes
    try:
        child = Child(command, _environment(settled), signals, echo.entrance if echo else None)
    except (OSError, ValueError) as failed:
        if echo:
            echo.shut()
            echo.end()
        return _not_run(command[0], failed)
    if echo:
        echo.shut()
    _attend(child, echo, settled)
    # All that the interpreter would do at its end is done, or nobody wants to wait for it.
    os._exit(exit_code(child.code or 0))


def _settled(given: dict[str, Any], command: list[str]) -> dict[str, Any]:
    """Return the options with the run and the job that they leave open."""
    from journal.clock import now, stamp_seconds  # noqa: PLC0415 - not for whoever asks for help
    from journal.layout import as_name  # noqa: PLC0415

    job = given.get("job") or as_name(os.path.basename(command[0]), "run")  # noqa: PTH119
    root = given.get("root") or os.environ.get("JOURNAL_ROOT") or _default_root()
    if root and "://" not in root and not root.startswith(("s3:", "file:")):
        # The program may be in another directory by the time it uses it.
        root = os.path.abspath(os.path.expanduser(root))  # noqa: PTH100, PTH111
    run_id = given.get("run_id") or os.environ.get("JOURNAL_RUN_ID")
    if not run_id:
        # A loop starts several within a second: by the process id they are told apart.
        began = stamp_seconds(now()).translate({ord(sign): None for sign in "-:Z"})
        run_id = f"{job[:90]}-{began.replace('T', '-')}-{os.getpid()}"
    return {**given, "job": job, "root": root, "run_id": run_id}


def _default_root() -> str | None:
    from journal.stores.connection import default_root  # noqa: PLC0415 - most name a root

    try:
        return str(default_root())
    except ValueError:
        return None  # whoever connects says so


def _environment(settled: dict[str, Any]) -> dict[str, str]:
    """Return what the program finds: our environment, and the run that it belongs to."""
    root = {"JOURNAL_ROOT": settled["root"]} if settled["root"] else {}
    return {**os.environ, **root, "JOURNAL_RUN_ID": settled["run_id"], "JOURNAL_JOIN": "1"}


def _attend(child: Child, echo: Echo | None, settled: dict[str, Any]) -> None:
    """Pass signals on until the program has ended and the journal was told, or we are to go."""
    ended, told = Event(), Event()
    Thread(target=_tell, args=(child, echo, settled, ended, told), daemon=True).start()
    while not told.is_set():
        number = child.heed_next()
        if number == signal.SIGWINCH and echo:
            echo.resize()
            child.send(number)
        if ended.is_set() and number in ENDING:
            return
        if child.code is not None:
            ended.set()


def _tell(
    child: Child, echo: Echo | None, settled: dict[str, Any], ended: Event, told: Event
) -> None:
    """Journal the program, in a thread; wake the one that waits for signals when that is done."""
    witness = None
    try:
        # The command works, whatever is wrong with the journal.
        from journal.recorder.witness import Wanted, Witness  # noqa: PLC0415

        witness = Witness(child, Wanted(**settled), ended, _complain)
        witness.attend()
    except Exception as failed:  # noqa: BLE001
        _complain(
            f"{settled['job']} is not journaled{'' if witness is None else ' well'}: {failed}"
        )
    ended.wait()
    tail = echo.end() if echo else b""
    try:
        if witness:
            witness.end(tail)
    except Exception as failed:  # noqa: BLE001
        _complain(f"the end of {settled['job']} is not journaled: {failed}")
    told.set()
    os.kill(os.getpid(), signal.SIGCHLD)


def _become(command: list[str]) -> int:
    """Be the command, and nothing else. Returns only if that is impossible."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # which Python ignores, and programs do not
    try:
        os.execvp(command[0], command)  # noqa: S606 - that is what it is for
    except (OSError, ValueError) as failed:
        return _not_run(command[0], failed)


def _not_run(name: str, failed: OSError | ValueError) -> int:
    """Say why a command was not run; return the exit code for it."""
    words = failed.strerror if isinstance(failed, OSError) else None
    _complain(f"{name}: {words or failed}")
    if isinstance(failed, FileNotFoundError | NotADirectoryError):
        return _NOT_FOUND
    if isinstance(failed, PermissionError | IsADirectoryError) or (
        isinstance(failed, OSError) and failed.errno == errno.ENOEXEC
    ):
        return _NOT_EXECUTABLE
    return _WRAPPER_FAILED


def _complain(*lines: str) -> None:
    """Print lines about what is wrong; without a stderr, to nobody."""
    told = ("".join(sign if sign.isprintable() else "?" for sign in line) for line in lines)
    with suppress(OSError):
        os.write(2, "".join(f"journal: {line}\n" for line in told).encode(errors="replace"))
