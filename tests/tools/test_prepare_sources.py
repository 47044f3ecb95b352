"""Sources of every scheme, in parallel; bad files are errors, dead sources fail the run."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.prepare import download, sources


class Site(ThreadingHTTPServer):
    """A web site in a thread: paths and what they answer, and how often they were asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answers = self.server.answers.get(self.path.partition("?")[0], [(404, {}, b"")])
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "RETRY_SECONDS", (0.01, 0.01))


def test_a_file_is_read_over_http(bench, site: Site) -> None:
    site.answers["/d/a.jsonl"] = [(200, {}, b"1\n2\n")]
    bench.add("web", f"{site.url}/d/a.jsonl")
    assert bench.prepare().code == 0
    assert bench.contents() == [1, 2]
    assert bench.said("source_started")[0]["bytes"] == 4


def test_what_passes_is_tried_again(bench, site: Site) -> None:
    good = (200, {}, b"1\n")
    site.answers["/a.jsonl"] = [good, (503, {}, b""), good]
    bench.add("web", f"{site.url}/a.jsonl")
    assert bench.prepare().code == 0
    assert len(site.asked) == 3


def test_a_server_that_asks_to_wait_is_obeyed_and_the_journal_says_so(bench, site: Site) -> None:
    good = (200, {}, b"1\n")
    site.answers["/a.jsonl"] = [good, (429, {"Retry-After": "1"}, b""), good]
    bench.add("web", f"{site.url}/a.jsonl")
    assert bench.prepare().code == 0
    assert [w["reason"] for w in bench.said("waiting")] == ["web asks to wait"]


def test_what_is_missing_is_not_asked_for_again(bench, site: Site) -> None:
    bench.source("good", {"a.txt": "a"})
    bench.add("web", f"{site.url}/a.jsonl")
    assert bench.prepare().code == 1
    assert len(site.asked) == 1


def test_no_secret_of_a_url_is_shown_journalled_or_stored(bench, site: Site) -> None:
    bench.add("gone", f"{site.url}/a.jsonl?X-Signature=hunter2")
    bench.add("shut", "http://me:hunter2@127.0.0.1:1/a.jsonl?token=hunter2")
    site.answers["/b.jsonl"] = [(200, {}, b"1\n")]
    bench.add("good", f"{site.url}/b.jsonl?sig=hunter2")
    outcome = bench.prepare()
    assert outcome.code == 1
    assert "/b.jsonl?sig=hunter2" in site.asked
    bench.manifest.unlink()
    kept = b"".join(p.read_bytes() for p in bench.path.rglob("*") if p.is_file())
    assert b"hunter2" not in kept + outcome.out.encode() + outcome.err.encode()


def test_a_dead_source_is_its_error_and_the_others_go_on(bench) -> None:
    bench.add("dead", "file:///no/such/directory")
    bench.source("good", {"a.txt": "a"})
    outcome = bench.prepare()
    assert outcome.code == 1
    assert bench.contents() == ["a"]
    assert [(e["source"], e["fatal"]) for e in bench.said("error")] == [("dead", True)]
    finished = bench.said("finished")[0]
    assert finished["status"] == "failed"
    assert finished["message"].startswith("dead sources: dead;")


def test_a_source_whose_patterns_match_nothing_is_dead(bench) -> None:
    folder = bench.source("good", {"a.txt": "a"})
    bench.add("empty", f"file://{folder}", 'include = ["*.parquet"]')
    assert bench.prepare().code == 1
    assert bench.errors() == [("empty", None, "no file of it matches the patterns")]


def test_a_preparation_without_a_record_has_failed(bench) -> None:
    bench.source("s", {"a.jsonl": "{broken\n"})
    assert bench.prepare().code == 1
    assert bench.said("finished")[0]["status"] == "failed"


def test_a_file_that_cannot_be_read_is_an_error_and_the_run_goes_on(bench, monkeypatch) -> None:
    def opened(url: str):
        if url.endswith("b.txt"):
            raise OSError("broken disk")
        return sources.open_url(url)

    monkeypatch.setattr(download, "open_url", opened)
    bench.source("s", {"a.txt": "a", "b.txt": "b"})
    assert bench.prepare().code == 0
    assert bench.contents() == ["a"]
    assert bench.errors() == [("s", "b.txt", "broken disk")]


def test_a_source_that_fails_file_after_file_is_given_up(bench, monkeypatch) -> None:
    def opened(url: str):
        if "/ill/" in url:
            raise OSError("broken disk")
        return sources.open_url(url)

    monkeypatch.setattr(download, "open_url", opened)
    bench.source("ill", {f"{n}.txt": "x" for n in range(200)})
    bench.source("well", {"a.txt": "a"})
    assert bench.prepare("--jobs", "2").code == 1
    assert 20 < len(bench.errors()) < 30
    assert bench.contents() == ["a"]


def test_a_full_disk_ends_the_run_at_once(bench, monkeypatch) -> None:
    def opened(_: str):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "open_url", opened)
    bench.source("s", {f"{n}.txt": "x" for n in range(50)})
    outcome = bench.prepare("--jobs", "2")
    assert (outcome.code, outcome.err) == (
        1, "prepare_dataset: [Errno 28] No space left on device\n",
    )  # fmt: skip
    assert bench.said("finished")[0]["status"] == "failed"


def test_files_of_several_sources_are_downloaded_at_the_same_time(bench, monkeypatch) -> None:
    together = threading.Barrier(4)

    def opened(url: str):
        together.wait(10)
        return sources.open_url(url)

    monkeypatch.setattr(download, "open_url", opened)
    bench.source("one", {"a.txt": "1", "b.txt": "2"})
    bench.source("two", {"a.txt": "3"})
    bench.source("three", {"a.txt": "4"})
    assert bench.prepare("--jobs", "4").code == 0


def test_file_names_of_any_kind_are_carried_through(bench) -> None:
    names = ["a b.txt", "a#b.txt", "a?b.txt", "a%20b.txt", "ä.txt", "line\nbreak.txt", "a=b&c.txt"]
    folder = bench.source("s", {name: name for name in names})
    (folder / b"\xff.txt".decode("utf-8", "surrogateescape")).write_text("bytes")
    assert bench.prepare().code == 0
    assert sorted(bench.contents()) == sorted([*names, "bytes"])


def test_max_files_takes_the_first_by_name(bench) -> None:
    folder = bench.source("s", {"b.txt": "b", "a.txt": "a", "c/a.txt": "c", "no.bin": ""})
    bench.manifest.unlink()
    bench.add(
        "s", f"file://{folder}", 'include = ["*.txt"]', 'exclude = ["a.txt"]', "max_files = 1"
    )
    assert bench.prepare().code == 0
    assert bench.contents() == ["b"]


@pytest.mark.parametrize("packing", ["zip", "tar", "tar.gz", "gz"])
def test_a_source_may_be_packed_first(bench, packing: str) -> None:
    folder = bench.source("s", {"b.txt": "b", "c/a.txt": "c"})
    bench.manifest.unlink()
    bench.add("s", f"file://{folder}", f'pack = "{packing}"')
    assert bench.prepare().code == 0
    assert bench.contents() == ["b", "c"]
    assert "extracting_archives" in {s["sub_phase"] for s in bench.said("source_started")}


def test_the_phases_are_called_as_the_old_documents_call_them(bench) -> None:
    bench.source("s", {"a.txt": "a"})
    bench.prepare()
    assert [(p["phase"], p["sub_phase"]) for p in bench.said("phase")] == [
        ("data_prep", "downloading_policy"),
        ("data_prep", "extracting_archives"),
        ("data_prep", "processing"),
        ("data_prep", "splitting"),
    ]


@pytest.fixture
def bucket(moto_server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in moto_server.environment.items():
        monkeypatch.setenv(name, value)
    sources.s3_client.cache_clear()
    name = moto_server.bucket()
    for key in ("p/a.txt", "p/b/c.txt", "p/", "p/x.bin", "px.txt", "p/../evil.txt", "p/b"):
        moto_server.client.put_object(Bucket=name, Key=key, Body=key.encode())
    yield name
    sources.s3_client().close()
    sources.s3_client.cache_clear()


@pytest.mark.parametrize("prefix", ["p", "p/"])
def test_all_below_a_prefix_is_read_from_s3(bench, bucket: str, prefix: str) -> None:
    bench.add("s3", f"s3://{bucket}/{prefix}", 'include = ["*.txt"]')
    assert bench.prepare().code == 0
    assert bench.contents() == ["p/a.txt", "p/b/c.txt"]
    assert [path for _, path, _ in bench.errors()] == ["../evil.txt"]


def test_one_object_is_read_from_s3(bench, bucket: str) -> None:
    bench.add("s3", f"s3://{bucket}/p/a.txt")
    assert bench.prepare().code == 0
    assert [(r["path"], r["content"]) for r in bench.records()] == [("a.txt", "p/a.txt")]


def test_a_key_that_is_also_a_directory_is_an_error_of_its_own(bench, bucket: str) -> None:
    bench.add("s3", f"s3://{bucket}/p/", 'include = ["b", "b/"]', 'format = "text"')
    assert bench.prepare().code == 0
    assert bench.contents() == ["p/b/c.txt"]
    assert [path for _, path, _ in bench.errors()] == ["b"]


def test_a_bucket_that_is_not_there_is_a_dead_source(bench, bucket: str) -> None:
    bench.source("good", {"a.txt": "a"})
    bench.add("s3", "s3://no-such-bucket-anywhere/p/")
    assert bench.prepare().code == 1
    assert [source for source, _, _ in bench.errors()] == ["s3"]
