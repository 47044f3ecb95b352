"""What a source has: its files with their sizes.

Listed once and kept, so that a resumed run works on the same files as an undisturbed one.
"""

import json
import os
import posixpath
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.prepare.errors import SourceDead, UnsafePath
from tools.prepare.manifest import SourceSpec
from tools.prepare.packing import packed
from tools.prepare.paths import as_text, safe_relative
from tools.prepare.patterns import matches, selected
from tools.prepare.sources import bucket_and_key, local_path, open_url, s3_client
from tools.prepare.workdir import WorkDir


@dataclass(frozen=True, slots=True)
class Item:
    """A file of a source: its path below the source, and its size in bytes if that is known."""

    path: str
    size: int | None

    @property
    def text(self) -> str:
        """The path as text that can be journalled."""
        return as_text(self.path)


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a source, by name; `base` plus a path is a URL, None if the source is one file.

    `refused` are files that the source has and that cannot be had: (path, why).
    """

    base: str | None
    items: tuple[Item, ...]
    refused: tuple[tuple[str, str], ...] = ()

    def url(self, spec: SourceSpec, item: Item) -> str:
        """Return where to read a file."""
        return spec.url if self.base is None else self.base + item.path


def listing_of(spec: SourceSpec, work: WorkDir) -> Listing:
    """Return the kept listing of a source, or make it and keep it.

    Raises SourceDead if the source has nothing to offer, else what its store raises.
    """
    kept = _kept(spec, work)
    if kept is not None:
        return kept
    work.forget(spec.name)
    if spec.pack:
        folder = work.packed / spec.name
        packed(list(_local_files(local_path(spec.url), spec)), folder, spec, work)
        found = _below(folder, _local_files(folder, None))
    elif spec.scheme == "file":
        root = local_path(spec.url)
        found = _below(root if root.is_dir() else root.parent, _local_files(root, spec))
    elif spec.scheme == "s3":
        found = _s3(spec)
    else:
        found = _http(spec)
    listing = _chosen(found, spec)
    _keep(listing, spec, work)
    return listing


def _kept(spec: SourceSpec, work: WorkDir) -> Listing | None:
    try:
        head, *lines = map(json.loads, work.listing(spec.name).read_text().splitlines())
    except (FileNotFoundError, ValueError):
        return None
    if head["identity"] != spec.identity:
        return None
    refused = tuple((path, why) for path, why in head["refused"])
    return Listing(head["base"], tuple(Item(**line) for line in lines), refused)


def _keep(listing: Listing, spec: SourceSpec, work: WorkDir) -> None:
    head = {"identity": spec.identity, "base": listing.base, "refused": listing.refused}
    with work.writing(work.listing(spec.name)) as file:
        file.writelines(
            f"{json.dumps(line)}\n".encode() for line in (head, *map(asdict, listing.items))
        )


def _chosen(found: Listing, spec: SourceSpec) -> Listing:
    """Sort, leave out what cannot be stored, and cut to `max_files`."""
    paths = {item.path for item in found.items}
    folders = {str(parent) for path in paths for parent in _parents(path)}
    good, refused = [], list(found.refused)
    for item in sorted(found.items, key=lambda item: item.path):
        try:
            if safe_relative(item.path) != item.path:
                raise UnsafePath(item.path, "has empty parts")
            if item.path in folders:
                raise UnsafePath(item.path, "is also a directory")
            good.append(item)
        except UnsafePath as error:
            refused.append((item.path, str(error)))
    if not good and not refused:
        raise SourceDead("no file of it matches the patterns")
    return Listing(found.base, tuple(good[: spec.max_files]), tuple(refused))


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        if path == "/":
            return
        yield path


def _below(root: Path, files: Iterator[tuple[str, int]]) -> Listing:
    items = tuple(Item(path, size) for path, size in files)
    return Listing(f"file://{root}/", items)


def _local_files(root: Path, spec: SourceSpec | None) -> Iterator[tuple[str, int]]:
    """Yield (path, size) of the regular files below a directory, or of the one file `root` is.

    Links to directories are not followed: they may lead in circles.
    """
    if root.is_file():
        yield root.name, root.stat().st_size
        return
    include, exclude = (spec.include, spec.exclude) if spec else (("*",), ())
    for folder, folders, names in os.walk(root, onerror=_raised):
        below = os.path.relpath(folder, root)
        prefix = "" if below == "." else f"{below}/"
        folders[:] = [name for name in folders if not matches(f"{prefix}{name}/", exclude)]
        for name in names:
            path, full = f"{prefix}{name}", Path(folder, name)
            if selected(path, include, exclude) and full.is_file():
                yield path, full.stat().st_size


def _raised(error: OSError) -> None:
    raise error


def _s3(spec: SourceSpec) -> Listing:
    """List the one object of that key, or else all below it."""
    bucket, key = bucket_and_key(spec.url)
    folder = f"{key}/" if key and not key.endswith("/") else key
    items: list[Item] = []
    for page in s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for entry in page.get("Contents", ()):
            found, size = str(entry["Key"]), int(entry["Size"])
            if found == key and not key.endswith("/"):
                parent, name = posixpath.split(key)
                return Listing(
                    f"s3://{bucket}/{parent}{'/' if parent else ''}", (Item(name, size),)
                )
            path = found.removeprefix(folder)
            # Keys that end in a slash are the "directories" that consoles make.
            is_file = found.startswith(folder) and not found.endswith("/")
            if is_file and selected(path, spec.include, spec.exclude):
                items.append(Item(path, size))
    return Listing(f"s3://{bucket}/{folder}", tuple(items))


def _http(spec: SourceSpec) -> Listing:
    """List the one file of a URL, asked with GET: a signed URL is signed for one method."""
    with open_url(spec.url) as stream:
        headers = getattr(getattr(stream, "response", None), "headers", {})
        size = str(headers.get("Content-Length", ""))
    name = unquote(posixpath.basename(urlsplit(spec.url).path)) or "index"
    return Listing(None, (Item(name, int(size) if size.isdecimal() else None),))
