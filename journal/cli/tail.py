"""`journal tail RUN…`."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from journal.cli.bookmark import Bookmark
from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.following import Follower, verdict_of
from journal.cli.lines import LINES, Form, Style, form_of, types_option
from journal.cli.meant import is_pattern, runs_meant, with_run
from journal.cli.options import output_option, root_option
from journal.cli.pager import Page, no_pager_option, paged
from journal.cli.runs_completed import runs_completed
from journal.cli.stopping import Stopping
from journal.cli.terminal import Terminal, color_option, terminal
from journal.cli.when import instant, utc_option
from journal.clock import now, stamp
from journal.stores import ReadStore
from readers.cursor import Places
from readers.event import LEVELS, Event
from readers.selection import Selection, Wanted, is_loud
from readers.tail import Tail

_ALL: Final = -1
_LINES: Final = 10


class _Count(click.ParamType[int]):
    name = "count"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if value == "all":
            return _ALL
        try:
            number = int(value)
        except ValueError:
            number = -1
        if number < 0:
            self.fail(f"{value!r} is neither a number nor `all`", param, ctx)
        return number


@click.command()
@click.argument("words", metavar="[RUN]… [FIELD=VALUE]…", nargs=-1, shell_complete=runs_completed)
@root_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option(
    "-n", "--lines", type=_Count(), metavar="N|all", help="How many; 10, all with -S or a cursor."
)
@click.option("-S", "--since", metavar="TIME", help="From then: 10m, 1h30m, HH:MM, ISO 8601.")
@click.option("-U", "--until", metavar="TIME", help="Up to then.")
@types_option
@click.option("-s", "--source", "sources", metavar="NAMES", help="Only of these: a,b* — or !a.")
@click.option("-p", "--level", type=click.Choice(LEVELS), help="As loud as this, or louder.")
@click.option("-g", "--grep", metavar="REGEX", help="Whose type and words match.")
@click.option("-r", "--reverse", is_flag=True, help="The newest first.")
@click.option("--fields", metavar="NAMES", help="These fields only: a,b,c.")
@click.option("--template", metavar="TEXT", help="Lines like '{time} {source} {path}'.")
@click.option("--gaps/--no-gaps", default=None, help="Show where nothing happened for 2 minutes.")
@click.option("--after-cursor", metavar="CURSOR", help="What comes behind this cursor.")
@click.option(
    "--cursor-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Go on from the cursor in this file, and keep it up to date.",
)
@click.option("--show-cursor", is_flag=True, help="Say at the end where to go on from, on stderr.")
@click.option("--exit-status", is_flag=True, help="Exit with the run's verdict (20 to 23).")
@color_option
@utc_option
@no_pager_option
@output_option(*LINES)
def command(words: tuple[str, ...], **options: Any) -> int:
    """Show the last events of runs, and follow them.

    Heartbeats, control lines and other noise are hidden unless asked for with -t or -p debug. With
    -o json each event is one line: the journal's own fields, run_id and stream; with -o raw its
    bytes as they are stored. RUN may be a pattern such as 'mistral-*'; followed, it picks up new
    runs, too. FIELD=VALUE shows events that have it.

    \b
    Examples:
      journal tail latest
      journal tail -f mistral-20250805-142652
      journal tail -n all -p warning -o json latest
      journal tail -f 'mistral-*' --cursor-file ~/.mistral.cursor source=federal
    """
    asked = _asked(words, options)
    root, bookmark = options["root"], asked.bookmark
    places = bookmark.places()
    names = [word for word in words if "=" not in word] or list(places or ())
    if not names:
        raise click.UsageError("which run? `journal tail latest` shows the newest")
    patterns = [name.rpartition("/")[2] for name in names if is_pattern(name)]

    def show(store: ReadStore, *run_ids: str) -> int:
        follower = None
        if asked.follow:
            follower = Follower(
                store, patterns, until=asked.selection.until, ends_when_lost=asked.exit_status
            )
        elif not run_ids:
            complain(f"no run matches {' '.join(names)}; `journal ls` shows the runs")
        tail = Tail(store, run_ids, complain, keep=asked.keeps, deferred=True, patient=asked.follow)
        return _Show(asked, store, tail).all(places, follower)

    if len(names) == 1 and not patterns:
        return with_run(root, names[0], show)
    store, run_ids = runs_meant(root, names)
    return show(store, *run_ids)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for."""

    selection: Selection
    wanted: Wanted
    form: Form
    screen: Terminal
    is_paged: bool
    bookmark: Bookmark
    lines: int | None
    follow: bool
    reverse: bool
    keeps: bool  # records are looked at, not only passed on
    shows_cursor: bool
    exit_status: bool


def _asked(words: tuple[str, ...], options: dict[str, Any]) -> _Asked:
    here = now()
    since, until = (
        None if options[name] is None else instant(options[name], here)
        for name in ("since", "until")
    )
    selection = Selection(
        types=options["types"],
        sources=options["sources"],
        level=options["level"],
        grep=options["grep"],
        fields=tuple(word for word in words if "=" in word),
        since=since,
        until=until,
    )
    if options["reverse"] and options["follow"]:
        raise click.UsageError("--reverse shows what is there: it does not go with -f")
    if options["after_cursor"] and options["cursor_file"]:
        raise click.UsageError("--after-cursor and --cursor-file both say where to begin: give one")
    names = tuple(name.strip() for name in (options["fields"] or "").split(",") if name.strip())
    runs = [word for word in words if "=" not in word]
    gaps = options["gaps"]
    screen = terminal(options["color"])
    style = Style(
        terminal=screen,
        utc=options["utc"],
        fields=names,
        template=options["template"],
        has_runs=len(runs) > 1 or any(map(is_pattern, runs)),
        has_gaps=not (selection.is_narrow or options["reverse"]) if gaps is None else gaps,
    )
    wanted = selection.wanted()
    return _Asked(
        selection=selection,
        wanted=wanted,
        form=form_of(options["output"], wanted, style),
        screen=screen,
        is_paged=options["output"] == "human" and not (options["follow"] or options["no_pager"]),
        bookmark=Bookmark(options["after_cursor"], options["cursor_file"]),
        lines=options["lines"],
        follow=options["follow"],
        reverse=options["reverse"],
        keeps=options["output"] != "json" or wanted is not is_loud or bool(names),
        shows_cursor=options["show_cursor"],
        exit_status=options["exit_status"],
    )


@dataclass(slots=True)
class _Show:
    """Prints what was asked for, and keeps the place behind what it printed."""

    asked: _Asked
    store: ReadStore
    tail: Tail
    _stopping: Stopping = field(default_factory=Stopping)

    def all(self, places: Places | None, follower: Follower | None) -> int:
        """Show what is there and, if somebody follows, what comes; return the exit code."""
        code = 0
        with self._stopping.heeded():
            with paged(self.asked.screen, wanted=self.asked.is_paged) as page:
                self._there(places, page)
                if follower is not None:
                    self._print(follower.batches(self.tail), page)
            if self.asked.exit_status:
                with self._stopping.interruptible():
                    code = verdict_of(self.store, self.tail.run_ids)
        token = self.tail.cursor
        self.asked.bookmark.put(token)
        if self._stopping.code is not None:
            code = self._stopping.code
            complain(f"to go on from here: journal tail -f --after-cursor {token}")
        elif self.asked.shows_cursor:
            complain(f"cursor: {token}")
        return code or (EXIT_DAMAGED if self.tail.damaged else 0)

    def _there(self, places: Places | None, page: Page) -> None:
        """Show what is there already, as many lines of it as were asked for."""
        asked, tail, lines = self.asked, self.tail, self.asked.lines
        since = asked.selection.since
        if places is not None:
            batches = tail.behind(places)
        elif since is not None:
            batches = tail.since(stamp(since))
        elif lines != _ALL:
            wanted = asked.wanted
            lines = _LINES if lines is None else lines
            self._print_all(lambda: tail.last_batch(lines, wanted), page)
            return
        else:
            batches = tail.batches()
        if asked.reverse or lines not in (None, _ALL):
            limit = None if lines == _ALL else lines
            self._print_all(lambda: deque(self._wanted(batches), limit), page)
        else:
            self._print(batches, page)

    def _wanted(self, batches: Iterator[Sequence[Event]]) -> Iterator[Event]:
        return (event for batch in batches for event in batch if self.asked.wanted(event))

    def _print_all(self, read: Callable[[], Iterable[Event]], page: Page) -> None:
        """Print what is cut or turned round, which is known only when all was read."""
        with self._stopping.interruptible():
            events = list(read())
        self._write(events[::-1] if self.asked.reverse else events, page)
        self.tail.hand_out_all()

    def _print(self, batches: Iterator[Sequence[Event]], page: Page) -> None:
        while True:
            with self._stopping.interruptible():
                batch = next(batches, None)
            if batch is None:
                return
            if batch:
                self._write(batch, page)
                self.tail.hand_out(batch)
                if self.asked.bookmark.file is not None:
                    self.asked.bookmark.put(self.tail.cursor)

    def _write(self, events: Sequence[Event], page: Page) -> None:
        if lines := self.asked.form(events):
            page.write(lines)
