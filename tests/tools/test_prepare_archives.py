"""Nothing of an archive leaves its directory, fills the disk, or stops the run."""

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.prepare.archives import Unpacking
from tools.prepare.errors import Bomb
from tools.prepare.manifest import Limits

MIB = 1024 * 1024


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tarred(*entries: tuple[str, bytes, bytes]) -> bytes:
    """Make a tar of (name, type, content or link target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if kind == tarfile.REGTYPE:
                entry.size = len(content)
            else:
                entry.linkname = content.decode()
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def unpacked(tmp_path: Path, name: str, content: bytes, **limits: int) -> Unpacking:
    archive = tmp_path / "in" / name
    archive.parent.mkdir()
    archive.write_bytes(content)
    (tmp_path / "out").mkdir()
    unpacking = Unpacking(archive, Limits(**limits), lambda _: None)
    unpacking.into(tmp_path / "out")
    return unpacking


def files(tmp_path: Path) -> set[str]:
    """All files below the test's directory but the archive itself."""
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if not p.is_dir()}
    return {name for name in found if not name.startswith("in/")}


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_a_zip_member_that_would_leave_is_left_out_and_the_others_come(
    tmp_path: Path, name: str
) -> None:
    unpacking = unpacked(tmp_path, "a.zip", zipped({name: b"x", "good": b"y"}))
    assert files(tmp_path) == {"out/good"}
    assert [member for member, _ in unpacking.left_out] == [name]


REG, SYM, LNK = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "evil",
    [
        [("../evil", REG, b"x")],
        [("/tmp/evil", REG, b"x")],
        [("link", SYM, b"/etc/passwd")],
        [("link", SYM, b".."), ("link/evil", REG, b"x")],
        [("link", LNK, b"../in/a.tar")],
        [("pipe", tarfile.FIFOTYPE, b"")],
        [("device", tarfile.CHRTYPE, b"")],
    ],
)
def test_a_tar_entry_that_would_leave_is_left_out_and_the_others_come(
    tmp_path: Path, evil: list[tuple[str, bytes, bytes]]
) -> None:
    unpacking = unpacked(tmp_path, "a.tar", tarred(*evil, ("good", REG, b"y")))
    outside = {name for name in files(tmp_path) if not name.startswith("out/")}
    assert not outside
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert (tmp_path / "out" / "good").read_bytes() == b"y"
    assert unpacking.left_out[0][0] == evil[0][0]


def test_a_symbolic_link_in_a_zip_is_left_out(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    unpacking = unpacked(tmp_path, "a.zip", buffer.getvalue())
    assert files(tmp_path) == set()
    assert len(unpacking.left_out) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gz", gzip.compress(bytes(40 * MIB))),
        ("a.zip", zipped({"a": bytes(40 * MIB)})),
        ("a.tar.gz", gzip.compress(tarred(("a", REG, bytes(40 * MIB))))),
        ("a.zip", zipped({"inner.gz": gzip.compress(bytes(40 * MIB))})),
    ],
    ids=["gz", "zip", "tar.gz", "gz in zip"],
)
def test_a_bomb_is_refused_before_it_has_filled_the_disk(
    tmp_path: Path, name: str, content: bytes
) -> None:
    with pytest.raises(Bomb):
        unpacked(tmp_path, name, content)
    assert sum(path.stat().st_size for path in tmp_path.rglob("out/*")) <= 17 * MIB


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Bomb, match="3 files"):
        unpacked(tmp_path, "a.zip", zipped(dict.fromkeys("abcd", b"x")), extracted_files=3)


def test_a_sparse_file_that_claims_terabytes_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("sparse")
    header.pax_headers = {
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "sparse",
        "GNU.sparse.size": str(10**13), "GNU.sparse.map": "0,0",
    }  # fmt: skip
    with pytest.raises(Bomb):
        unpacked(tmp_path, "a.tar", header.tobuf(tarfile.PAX_FORMAT) + bytes(1024))


def test_a_header_that_asks_for_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2 * 1024 * MIB
    with pytest.raises(Bomb):
        unpacked(tmp_path, "a.tar", header.tobuf() + bytes(10240))


def headers(*entries: tuple[bytes, int]) -> bytes:
    """Make headers of a tar, of a type and with a size each, whatever that would mean."""
    made = b""
    for kind, size in entries:
        header = tarfile.TarInfo("x")
        header.type, header.size = kind, size
        made += header.tobuf(tarfile.GNU_FORMAT)
    return made


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    """Global headers would all be kept, and long names follow each other for ever."""
    block = headers((tarfile.XGLTYPE, MIB)) + b"30 comment=".ljust(30, b"x") + b"\n" * (MIB - 30)
    with pytest.raises(Bomb, match="headers"):
        unpacked(tmp_path, "a.tar", block * 17 + tarred(("a", REG, b"x")))


def test_headers_behind_headers_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecursionError):
        unpacked(tmp_path, "a.tar", headers((tarfile.GNUTYPE_LONGNAME, 0)) * 5000)


def test_an_entry_that_leads_back_to_itself_is_an_error(tmp_path: Path) -> None:
    """Its size is negative, and the next entry would be the one before."""
    with pytest.raises(tarfile.ReadError, match="negative"):
        unpacked(tmp_path, "a.tar", headers((REG, 0), (REG, -1024)) + bytes(1024))


@pytest.mark.parametrize(
    "entries",
    [
        [(f"{number}", SYM, b"/etc") for number in range(10)],
        [(f"{number}", tarfile.DIRTYPE, b"") for number in range(10)],
        [("/".join("abcdefghijkl"), REG, b"x")],
    ],
    ids=["links", "directories", "directories of one name"],
)
def test_too_many_that_are_no_files_are_refused(
    tmp_path: Path, entries: list[tuple[str, bytes, bytes]]
) -> None:
    """They fill the memory, or the disk, as well."""
    with pytest.raises(Bomb, match="8 other members"):
        unpacked(tmp_path, "a.tar", tarred(*entries), extracted_files=4)


def test_directories_in_a_zip_count(tmp_path: Path) -> None:
    names = [f"{number}/" for number in range(10)]
    with pytest.raises(Bomb, match="8 other members"):
        unpacked(tmp_path, "a.zip", zipped(dict.fromkeys(names, b"")), extracted_files=4)


def test_a_zip_that_lists_too_many_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gigabyte of names would be tens of gigabytes in memory."""
    content = zipped(dict.fromkeys(map(str, range(13)), b"x"))
    monkeypatch.setattr("zipfile.ZipFile", None)
    with pytest.raises(Bomb, match="lists more than 12"):
        unpacked(tmp_path, "a.zip", content, extracted_files=4)


def test_members_that_share_their_bytes_come_once(tmp_path: Path) -> None:
    """A hundred names of one packed megabyte would be a hundred megabytes."""
    content = zipped({"00": bytes(MIB)})
    start, end = content.index(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    entry = content[start:end]
    entries = b"".join(entry[:46] + b"%02d" % number + entry[48:] for number in range(100))
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 100, 100, len(entries), start, 0)
    unpacking = unpacked(tmp_path, "a.zip", content[:start] + entries + record)
    assert files(tmp_path) == {"out/00"}
    assert len(unpacking.left_out) == 99


@pytest.mark.parametrize(
    "name", ["x" * 300, "/".join(["x" * 200] * 40), "a\0b", "\u202egpj.exe", "a\nb", "CON", " "]
)
def test_a_name_of_any_kind_stops_nobody(tmp_path: Path, name: str) -> None:
    """It is on the disk as it is, or left out; the others come."""
    unpacking = unpacked(tmp_path, "a.tar", tarred((name, REG, b"x"), ("good", REG, b"y")))
    assert (tmp_path / "out" / "good").read_bytes() == b"y"
    assert len(files(tmp_path)) + len(unpacking.left_out) == 2


def test_nested_bombs_count_together(tmp_path: Path) -> None:
    """Ten archives of ten archives are a hundred, whichever level they are on."""
    inner = zipped({f"{number}.gz": gzip.compress(bytes(MIB)) for number in range(10)})
    middle = zipped({f"{number}.zip": inner for number in range(10)})
    with pytest.raises(Bomb):
        unpacked(tmp_path, "a.zip", middle)
    assert sum(p.stat().st_size for p in tmp_path.rglob("out/**/*") if p.is_file()) <= 18 * MIB


def test_a_tar_that_is_damaged_in_the_middle_is_not_taken_for_a_short_one(tmp_path: Path) -> None:
    content = bytearray(tarred(("a", REG, b"x"), ("b", REG, b"y")))
    content[1024:1030] = b"broken"
    with pytest.raises(tarfile.ReadError, match="middle"):
        unpacked(tmp_path, "a.tar", bytes(content))


def test_archives_in_archives_are_unpacked(tmp_path: Path) -> None:
    inner = gzip.compress(tarred(("b/c.txt", REG, b"deep")))
    unpacked(tmp_path, "a.zip", zipped({"x/inner.tgz": inner, "y.txt.gz": gzip.compress(b"y")}))
    assert files(tmp_path) == {"out/x/inner.tgz/b/c.txt", "out/y.txt.gz/y.txt"}


def test_a_damaged_archive_in_an_archive_is_left_out_alone(tmp_path: Path) -> None:
    content = zipped({"in.gz": gzip.compress(b"x" * 1000)[:-9], "good": b"y"})
    unpacking = unpacked(tmp_path, "a.zip", content)
    assert files(tmp_path) == {"out/good"}
    assert [member for member, _ in unpacking.left_out] == ["in.gz"]


def test_a_zip_member_with_a_wrong_checksum_is_left_out_alone(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bad", b"AAAAAAAA")
        archive.writestr("good", b"y")
    unpacking = unpacked(tmp_path, "a.zip", buffer.getvalue().replace(b"AAAAAAAA", b"AAAABAAA"))
    assert files(tmp_path) == {"out/good"}
    assert [member for member, _ in unpacking.left_out] == ["bad"]


def test_damaged_archives_are_errors_and_the_run_goes_on(bench) -> None:
    bench.source(
        "mixed",
        {
            "a.zip": b"no zip at all",
            "b.tar.gz": gzip.compress(tarred(("t.txt", REG, b"x" * 5000)))[:60],
            "c.gz": b"",
            "d.tar": b"\x01" * 2000,
            "e.zip": zipped({"../evil.txt": b"evil", "good.txt": b"good"}),
            "f.txt": b"plain",
        },
    )
    outcome = bench.prepare()
    assert outcome.code == 0
    assert bench.contents() == ["good", "plain"]
    assert {path for _, path, _ in bench.errors()} == {
        "a.zip", "b.tar.gz", "c.gz", "d.tar", "e.zip/../evil.txt",
    }  # fmt: skip
    assert not list(bench.path.rglob("evil.txt"))
    assert bench.said("finished")[0]["status"] == "completed"
    assert "5 bad left out" in bench.said("finished")[0]["message"]
