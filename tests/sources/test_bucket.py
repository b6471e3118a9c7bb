"""Core dumps in a bucket, of a server that can be told to misbehave: the same cases as from the folder, or a reason."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import msgspec
import pytest
import zstandard

from broadstreet.errors import UsageError
from broadstreet.pipeline import together
from broadstreet.pipeline.engines import Local, examined
from broadstreet.pipeline.examination import Examination
from broadstreet.pipeline.reading import BinarySources
from broadstreet.pipeline.together import examine_together, examined_again
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources import objects
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.specimens import opened, specimens
from tests import synth
from tests.reading.specimens import core
from tests.sources.range_server import FAULTS, Behaviour, RangeServer, serving, variables

CORPUS = Path(__file__).parents[2] / "corpus"
NOISE = Random(18).randbytes(6 << 20)  # does not compress


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real core dumps, of which each second one is compressed, with a sidecar for each third."""
    place = tmp_path_factory.mktemp("cores")
    for number, path in enumerate(sorted((CORPUS / "cores").iterdir())[:48]):
        kept = place / f"host-{number % 5}" / (path.name if number % 2 else path.name.removesuffix(".zst"))
        kept.parent.mkdir(exist_ok=True)
        packed = path.read_bytes()
        kept.write_bytes(packed if number % 2 else zstandard.ZstdDecompressor().stream_reader(packed).read())
        if number % 3 == 0:
            sidecar = {"time": "2026-06-30T12:00:00Z", "host": f"node-{number}"}
            kept.with_name(f"{kept.name}.json").write_text(json.dumps(sidecar))
    (place / "notes.txt").write_text("no core dump")
    return place


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in tests as long as in a scan."""
    monkeypatch.setattr(objects, "FIRST_WAIT_SECONDS", 0.001)


@contextmanager
def bucket(folder: Path, behaviour: Behaviour | None = None) -> Iterator[RangeServer]:
    """The folder as s3://cores, as the environment says."""
    with serving(folder, behaviour) as server, pytest.MonkeyPatch.context() as environment:
        for name, value in variables(server.url).items():
            environment.setenv(name, value)
        objects.store_at.cache_clear()
        yield server
    objects.store_at.cache_clear()


def binaries() -> Binaries:
    return Binaries((str(CORPUS / "binaries"),))


def comparable(one: Examined, root: str) -> tuple[str, object]:
    name = one.specimen.location.removeprefix(f"{root}/")
    assert isinstance(one.outcome, Case), one.outcome
    fields = json.loads(msgspec.json.encode(one.outcome))
    where = fields["circumstances"]
    del fields["bytes_read"], where["path"]
    if where["time_source"] == "mtime":
        where["time"] = where["time"][:19]  # a listing says whole seconds
    return name, fields


def cases(place: str) -> dict[str, object]:
    return dict(comparable(one, place) for one in examine_together(specimens(place), binaries()))


def outcomes(place: str) -> dict[str, object]:
    found = {}
    for one in examine_together(specimens(place), binaries()):
        found[one.specimen.location.rpartition("/")[2]] = one.outcome
    return found


def test_a_bucket_gives_the_same_cases_as_the_folder(folder: Path) -> None:
    expected = cases(str(folder))
    with bucket(folder):
        assert cases("s3://cores") == expected
    assert len(expected) == 48


def test_a_tenth_of_requests_that_fail_loses_and_doubles_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "ANSWER_SECONDS", 0.6)
    monkeypatch.setattr("broadstreet.sources.bucket_core.ANSWER_SECONDS", 0.6)
    expected = cases(str(folder))
    drawn = set()
    for seed in range(6):
        with bucket(folder, Behaviour(faults=0.1, seed=seed, slow_seconds=1.0)) as server:
            read = list(examine_together(specimens("s3://cores"), binaries()))
        assert [one.specimen.location for one in read if isinstance(one.outcome, Unreadable)] == []
        assert len(read) == 48
        assert dict(comparable(one, "s3://cores") for one in read) == expected
        drawn |= {kind for kind in FAULTS if server.counts[f"fault {kind}"]}
    assert drawn == set(FAULTS)


def test_workers_read_a_bucket_as_one_process_does(folder: Path) -> None:
    with bucket(folder):
        sources = BinarySources((str(CORPUS / "binaries"),))
        read = list(examined(specimens("s3://cores/"), Examination(sources), Local(2)))
    assert dict(comparable(one, "s3://cores") for one in read) == cases(str(folder))


@pytest.mark.parametrize(
    ("fault", "kind", "again"),
    [
        ("403", "forbidden", False),
        ("404", "vanished", False),
        ("429", "throttled", True),
        ("503", "throttled", True),
        ("500", "server error", True),
        ("truncated", "cut off", True),
        ("reset", "no connection", True),
    ],
)
def test_an_object_that_cannot_be_had_is_named_and_stops_nothing(
    folder: Path, fault: str, kind: str, again: bool
) -> None:
    with bucket(folder) as server:
        listed = list(specimens("s3://cores/host-1"))
        victim = listed[2]
        server.behaviour.lasting[victim.location.removeprefix("s3://cores/")] = (fault, -1)
        read = {one.specimen: one.outcome for one in examine_together(listed, binaries())}
    failure = read.pop(victim)
    assert isinstance(failure, Unreadable)
    assert (failure.kind, failure.retry) == (kind, again)
    assert read
    assert all(isinstance(outcome, Case) for outcome in read.values())


def test_an_answer_that_does_not_come_is_a_timeout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadstreet.sources.bucket_core.ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(objects, "TRIES", 2)
    with bucket(folder, Behaviour(slow_seconds=1.0)) as server:
        (one, *_) = specimens("s3://cores/host-1")
        server.behaviour.lasting[one.location.removeprefix("s3://cores/")] = ("slow", -1)
        (failure,) = (done.outcome for done in examine_together([one], binaries()))
    assert isinstance(failure, Unreadable)
    assert (failure.kind, failure.retry) == ("timed out", True)


def test_an_object_that_changed_since_it_was_listed_is_not_read(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "core.1"
    path.write_bytes(synth.core_dump(core()))
    with bucket(tmp_path):
        listed = list(specimens("s3://cores"))
        os.utime(path, (1, 1))
        (failure,) = (done.outcome for done in examine_together(listed, binaries()))
        again = list(specimens("s3://cores"))
    assert isinstance(failure, Unreadable)
    assert (failure.kind, failure.retry) == ("changed meanwhile", False)
    assert again[0].specimen_id != listed[0].specimen_id


def test_what_was_throttled_is_read_after_all_the_others(folder: Path) -> None:
    with bucket(folder) as server:
        listed = list(specimens("s3://cores/host-1"))
        key = listed[0].location.removeprefix("s3://cores/")
        server.behaviour.lasting[key] = ("503", objects.TRIES)
        told: list[Examined] = []
        read = list(
            examined_again(lambda some: examine_together(some, binaries()), listed, told.append, pause_seconds=0.0)
        )
    assert [one.specimen for one in told] == [listed[0]]
    assert all(isinstance(one.outcome, Case) for one in read)
    assert sorted(one.specimen for one in read) == sorted(listed)
    assert read[-1].specimen == listed[0]


def test_what_stays_broken_is_reported_once_at_the_end(folder: Path) -> None:
    with bucket(folder) as server:
        listed = list(specimens("s3://cores/host-1"))
        server.behaviour.lasting[listed[0].location.removeprefix("s3://cores/")] = ("500", -1)
        read = list(examined_again(lambda some: examine_together(some, binaries()), listed, pause_seconds=0.0))
        asked = server.counts["fault 500"]
    assert asked == objects.TRIES * (1 + together.LATER_PASSES)
    assert len(read) == len(listed)
    assert isinstance(read[-1].outcome, Unreadable)


def large(folder: Path, pack: bool) -> Path:
    """Six megabytes, of which the stack is the last."""
    filler = synth.Map(start=0x7F00_0000_0000, end=0x7F00_0000_0000 + len(NOISE), flags="rw", data=NOISE)
    content = synth.core_dump(core(filler))
    path = folder / ("core.large.zst" if pack else "core.large")
    path.write_bytes(zstandard.compress(content) if pack else content)
    return path


def test_a_large_core_dump_costs_six_requests_and_a_256th_of_its_bytes_at_most(tmp_path: Path) -> None:
    path = large(tmp_path, pack=False)
    with bucket(tmp_path) as server:
        (one,) = specimens("s3://cores")
        before = server.counts["requests"]
        (done,) = examine_together([one], binaries())
        assert server.counts["requests"] - before <= 6
        assert server.counts["bytes"] <= 256 << 10 < path.stat().st_size
    assert isinstance(done.outcome, Case)
    assert done.outcome.bytes_read == server.counts["bytes"]


def test_a_byte_is_asked_for_once(tmp_path: Path) -> None:
    large(tmp_path, pack=False)
    with bucket(tmp_path) as server:
        (one,) = specimens("s3://cores")
        with opened(one) as source:
            first = source.ranges(((0, 4096), (5 << 20, 100)))
            asked = server.counts["requests"]
            assert source.ranges(((1024, 64), ((5 << 20) + 50, 50), (60_000, 10))) == [
                first[0][1024:1088],
                first[1][50:],
                source.ranges(((60_000, 10),))[0],
            ]
            assert server.counts["requests"] == asked
            assert source.ranges(((one.size - 4, 100), (one.size, 5), (one.size + 9, 1 << 40)))[1:] == [b"", b""]


def test_a_stream_is_ended_when_the_last_range_is_complete(tmp_path: Path) -> None:
    path = large(tmp_path, pack=True)
    with bucket(tmp_path, Behaviour(bandwidth=20e6)) as server:
        (one,) = specimens("s3://cores")
        with opened(one) as source:
            assert len(source.ranges(((0, 4096), (300_000, 100)))[1]) == 100
            assert source.bytes_read < 1 << 20
    assert server.counts["bytes"] < path.stat().st_size * 0.8, "the server was stopped on its way"


def test_a_compressed_object_is_fetched_once_though_it_is_gone_through_three_times(tmp_path: Path) -> None:
    (tmp_path / "core.zst").write_bytes(
        (CORPUS / "cores" / "null_read.O0.plain.core.zst").read_bytes() + NOISE[: 2 << 20]
    )
    with bucket(tmp_path) as server:
        outcomes("s3://cores")
        assert server.counts["bytes"] <= (tmp_path / "core.zst").stat().st_size


def test_a_stream_that_breaks_goes_on_where_it_broke(tmp_path: Path) -> None:
    path = large(tmp_path, pack=True)
    with bucket(tmp_path, Behaviour(faults=0.3, kinds=("truncated", "500"), seed=2)) as server:
        found = outcomes("s3://cores")
        assert server.counts["fault truncated"]
    assert isinstance(found[path.name], Case)


def test_names_of_every_kind_are_listed_and_read(tmp_path: Path) -> None:
    content = synth.core_dump(core())
    names = ["core a", "core+b", "core%41", "core#c", "core?d", "coreé", "core&e", "core;f=1", "x.core:9", "core[1]"]
    for name in names:
        (tmp_path / name).write_bytes(content)
    with bucket(tmp_path):
        found = outcomes("s3://cores")
    assert sorted(found) == sorted(names)
    assert all(isinstance(outcome, Case) for outcome in found.values()), found


def listed(place: str) -> list[str]:
    return [one.location.removeprefix("s3://cores/") for one in specimens(place)]


def test_a_listing_of_many_pages_is_whole_though_some_pages_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadstreet.sources.bucket.PAGE", 7)
    for number in range(120):
        (tmp_path / f"core.{number:03}").write_bytes(b"x")
    with bucket(tmp_path, Behaviour(faults=0.2, kinds=("500", "503", "reset"), seed=4, page=7)) as server:
        assert listed("s3://cores") == [f"core.{number:03}" for number in range(120)]
        assert sum(server.counts[f"fault {kind}"] for kind in FAULTS)


def test_a_sidecar_is_asked_for_only_where_the_listing_shows_one(tmp_path: Path) -> None:
    for name in ("core", "core-1", "core.1", "core.1-a", "core.1.gz", "core.2"):
        (tmp_path / name).write_bytes(synth.core_dump(core()))
    for name in ("core.json", "core.1.json", "other.json"):
        (tmp_path / name).write_text('{"host": "vm-1"}')
    with bucket(tmp_path) as server:
        found = {one.location.rpartition("/")[2]: one.sidecar for one in specimens("s3://cores")}
        before = server.counts["requests"]
        outcomes("s3://cores")
        asked = server.counts["requests"] - before
    assert {name for name, sidecar in found.items() if sidecar} == {"core", "core.1"}
    assert found["core.1"] == "s3://cores/core.1.json"
    assert asked <= 1 + 6 * 6 + 2


def test_globs_choose_by_level_and_what_they_name_may_have_any_name(tmp_path: Path) -> None:
    for name in ("2026-01-01/a/core.1", "2026-01-02/b", "2026-01-02/b.json", "2025-12-31/core.1", "core.0"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with bucket(tmp_path) as server:
        assert listed("s3://cores/2026-*/*") == ["2026-01-01/a/core.1", "2026-01-02/b"]
        assert listed("s3://cores/2026-01-0[2-9]/*") == ["2026-01-02/b"]
        assert listed("s3://cores/2025-12-31/core.1") == ["2025-12-31/core.1"]
        assert listed("s3://cores/2025-12-31") == ["2025-12-31/core.1"]
        assert listed("s3://cores/20*/nothing*") == []
    assert server.counts["bytes"] == 0


@pytest.mark.parametrize(("fault", "hint"), [("403", "AWS_ACCESS_KEY_ID"), ("404", "name of the bucket")])
def test_a_bucket_that_cannot_be_listed_is_said_with_what_to_try(tmp_path: Path, fault: str, hint: str) -> None:
    with bucket(tmp_path, Behaviour(faults=1.0, kinds=(fault,))), pytest.raises(UsageError) as caught:
        list(specimens("s3://cores/prefix"))
    assert "s3://cores/prefix cannot be listed" in caught.value.what
    assert hint in caught.value.hint


def test_nobody_there_is_said_with_what_to_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    objects.store_at.cache_clear()
    with pytest.raises(UsageError) as caught:
        list(specimens("s3://cores"))
    assert "no connection" in caught.value.what


def test_nothing_at_a_name_is_said(tmp_path: Path) -> None:
    with bucket(tmp_path), pytest.raises(UsageError, match="nothing is at s3://cores/nowhere"):
        list(specimens("s3://cores/nowhere"))


def test_an_object_of_the_web_is_read_by_its_address(tmp_path: Path) -> None:
    (tmp_path / "a core").write_bytes(synth.core_dump(core()))
    (tmp_path / "a core.json").write_text('{"host": "vm-7"}')
    with serving(tmp_path) as server:
        (one,) = examine_together(specimens(f"{server.url}/cores/a%20core"), binaries())
        with pytest.raises(UsageError, match="nothing is at"):
            list(specimens(f"{server.url}/cores/other"))
    assert isinstance(one.outcome, Case)
    assert one.outcome.circumstances.host == "vm-7"


def test_a_server_that_gives_no_ranges_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "core").write_bytes(synth.core_dump(core()) + NOISE[:100_000])
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        place = f"http://127.0.0.1:{server.server_address[1]}/core"
        (failure,) = (one.outcome for one in examine_together(specimens(place), Binaries()))
        server.shutdown()
    assert isinstance(failure, Unreadable)
    assert (failure.kind, failure.retry) == ("no ranges", False)


def test_an_empty_object_is_no_core_dump(tmp_path: Path) -> None:
    (tmp_path / "core.0").write_bytes(b"")
    with bucket(tmp_path):
        found = outcomes("s3://cores")
    assert isinstance(found["core.0"], Unreadable)
    assert "ELF header" in found["core.0"].kind


def test_an_object_and_its_copy_on_disk_are_two_specimens(folder: Path) -> None:
    with bucket(folder):
        remote = [one.specimen_id for one in specimens("s3://cores")]
        again = [one.specimen_id for one in specimens("s3://cores/")]
    assert remote == again
    assert not {one.specimen_id for one in specimens(str(folder))} & set(remote)
    assert isinstance(Specimen("core", 0, "").specimen_id, str)


def test_a_signature_is_never_part_of_a_message() -> None:
    error = OSError(
        "Error performing GET https://a.blob/c/core?sv=2022&sig=SECRET%3D in 3ms - status code: 503\n\nDebug"
    )
    said = objects.failed("az://c/core", error)
    assert "SECRET" not in str(said)
    assert (said.kind, said.again) == ("throttled", True)
