"""Packs the files of a directory into an archive, for sources that are to arrive packed.

The same files give the same bytes: entries are sorted, and carry neither times nor owners.
"""

import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tools.prepare.manifest import SourceSpec
from tools.prepare.sources import local_path
from tools.prepare.workdir import WorkDir


def packed(files: Sequence[tuple[str, int]], folder: Path, spec: SourceSpec, work: WorkDir) -> None:
    """Pack files, (path, size) below the source's directory, into archives in `folder`.

    One archive of all for zip, tar and tar.gz; for gz, one of each file.
    """
    root = local_path(spec.url)
    root = root if root.is_dir() else root.parent
    paths = sorted(path for path, _ in files)[: spec.max_files]
    if not paths:
        return
    if spec.pack == "gz":
        for path in paths:
            with work.writing(folder / f"{path}.gz") as target, (root / path).open("rb") as source:
                _gzip(source, target)
        return
    with work.writing(folder / f"{spec.name}.{spec.pack}") as target:
        if spec.pack == "zip":
            _zip(root, paths, target)
        elif spec.pack == "tar":
            _tar(root, paths, target)
        else:
            with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as compressed:
                _tar(root, paths, compressed)


def _gzip(source: BinaryIO, target: BinaryIO) -> None:
    with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as compressed:
        shutil.copyfileobj(source, compressed)


def _zip(root: Path, paths: Sequence[str], target: BinaryIO) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path)  # dated 1980
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (root / path).read_bytes())


def _tar(root: Path, paths: Sequence[str], target: io.IOBase | BinaryIO) -> None:
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in paths:
            entry = tarfile.TarInfo(path)
            content = (root / path).read_bytes()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
