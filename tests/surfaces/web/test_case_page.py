"""The page of one case: what it shows is what was read, what it cannot show it names, and every value is text."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broadstreet.cases.headline import headline
from broadstreet.pipeline.scanning import judged
from broadstreet.records.case import Case
from broadstreet.records.finding import Finding
from broadstreet.records.gap import Gap
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.store.questions import Questions
from broadstreet.surfaces.web import crash_told
from broadstreet.surfaces.web.pages.case import CasePage
from tests.store.examined import case, corpus, sample
from tests.surfaces.web.drawn import Read, kept, pages_of

MANIFEST = json.loads((Path(__file__).parents[3] / "corpus" / "manifest.json").read_text())
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202egnp.exe\x00\"'><img src=x onerror=alert(2)>"
LONG = HOSTILE + "x" * 1_000_000
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Crashes of the corpus, on no fleet, with evidence."""
    folder = tmp_path_factory.mktemp("real")
    with pages_of(kept(folder / "book", corpus()), folder / "cache") as read:
        yield read


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Crashes of the sample, with hosts and times, and evidence."""
    folder = tmp_path_factory.mktemp("fleet")
    with pages_of(kept(folder / "book", sample()), folder / "cache") as read:
        yield read


def told(read: Read, case_id: str) -> CasePage:
    return msgspec.json.decode(read.reader.get(f"/cases/{case_id}.json").content, type=CasePage)


def of_corpus(core: str) -> Case:
    case_id = next(one["case_id"] for one in MANIFEST if one["core"].startswith(core))
    return next(case(one) for one in corpus() if case(one).case_id == case_id)


def test_the_first_line_says_what_happened(real: Read) -> None:
    for one in corpus()[:12]:
        assert told(real, case(one).case_id).headline == headline(judged(case(one)))


def test_the_beginning_of_an_id_leads_to_the_whole(real: Read) -> None:
    whole = case(corpus()[0]).case_id
    for ending in ("", ".json"):
        answer = real.reader.get(f"/cases/{whole[:12]}{ending}")
        assert (answer.status_code, answer.headers["location"]) == (302, f"/cases/{whole}{ending}")


def test_what_is_no_id_and_what_is_no_case_is_not_found(real: Read) -> None:
    for name in ("0" * 32, "zzzz", "abc", "%3Cscript%3E"):
        answer = real.reader.get(f"/cases/{name}")
        assert answer.status_code == 404
        assert "<script>" not in answer.text.split("<main", 1)[1]


def test_a_return_to_null_tints_the_word_that_was_popped(real: Read) -> None:
    page = told(real, of_corpus("return_zero_slot.O0.plain").case_id)
    assert page.words is not None
    popped = next(one for one in page.words if one.place == "rsp−8")
    assert (popped.value, popped.matters, popped.red_zone) == ("0" * 16, True, True)
    assert [one.name for one in page.registers if one.matters] == ["rip"]
    assert sum(one.at_sp for one in page.words) == 1
    assert [one.place for one in page.words if one.red_zone] == [f"rsp−{8 * n}" for n in range(16, 0, -1)]


def test_every_rule_answers_and_those_that_hold_stand_first(real: Read) -> None:
    crash = judged(of_corpus("null_read.O0.plain"))
    page = told(real, crash.case_id)
    assert {one.label: one.state for one in page.findings} == {one.label: one.state for one in crash.findings}
    states = [one.state for one in page.findings]
    assert states == sorted(states, key=("holds", "does_not_hold", "not_judged").index) or states[0] == "holds"
    assert [one.label for one in page.findings if one.mechanism] == ["null_dereference"]
    html = real.html(f"/cases/{crash.case_id}")
    assert html.index("names the mechanism") < html.index("could not be judged") < html.index("do not hold:")


def test_frames_keep_their_trust_and_what_returned_stands_below_zero(real: Read) -> None:
    crash = of_corpus("race.O0.memory")
    frames = told(real, crash.case_id).frames
    assert [one.trust for one in frames if one.number >= 0] == [one.trust for one in crash.frames]
    assert [one.number for one in frames if one.number < 0] == list(range(-len(crash.below_sp), 0))
    assert all(one.trust == "below_sp" for one in frames if one.number < 0)


def test_the_threads_that_are_not_kept_are_counted(real: Read) -> None:
    crash = of_corpus("race.O0.memory")
    assert crash.thread_count == 2
    html = real.html(f"/cases/{crash.case_id}")
    assert ", one of 2" in html
    assert "The 1 other thread is not kept" in html


def test_what_is_kept_is_downloaded_byte_for_byte(real: Read) -> None:
    one = corpus()[3]
    answer = real.reader.get(f"/cases/{case(one).case_id}.core")
    assert answer.content == one.evidence
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="case-{case(one).case_id[:8]}.core"'


def test_each_number_of_neighbours_is_that_of_its_query(fleet: Read) -> None:
    for one in sample()[:5]:
        page = told(fleet, case(one).case_id)
        assert {each.same for each in page.neighbours} >= {"host", "minute, anywhere"}
        for each in page.neighbours:
            assert fleet.atlas.ask(each.query).rows["cases"][0].as_py() == each.cases >= 1


def test_each_exposure_counts_the_cases_that_share_it(fleet: Read) -> None:
    page = told(fleet, case(sample()[0]).case_id)
    service = next(one for one in page.exposures if one.column == "service")
    assert service.cases == sum(case(one).circumstances.service == service.value for one in sample())


def test_every_query_of_the_page_can_be_asked(fleet: Read) -> None:
    page = told(fleet, case(sample()[0]).case_id)
    with Questions(fleet.atlas.about.casebook) as questions:
        for table in ("crashes", "members"):
            questions.lend(table, fleet.atlas.ask(f"SELECT * FROM {table}").rows)
        for name, select in page.queries.items():
            rows = sum(batch.num_rows for batch in questions.ask(select)) if select else 0
            assert rows > 0 or name in ("among", "contradictions"), name


def test_modules_of_a_build_are_counted_among_the_cases_of_the_syndrome(fleet: Read) -> None:
    page = told(fleet, case(sample()[0]).case_id)
    assert page.syndrome is not None
    seen = [one for one in page.modules if one.sharing is not None]
    assert seen
    assert all(1 <= (one.sharing or 0) <= page.syndrome.cases for one in seen)
    assert all(one.sharing is None for one in page.modules if one.build_id is None)


def test_no_page_has_script_or_style_in_it(fleet: Read) -> None:
    page = fleet.html(f"/cases/{case(sample()[0]).case_id}")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", page)


def test_a_command_names_a_path_as_a_shell_takes_it() -> None:
    crash = case(corpus()[0])
    for path in ("/var/a b/it's.core", "/x/$(reboot)`id`;core"):
        there = replace(crash, circumstances=replace(crash.circumstances, path=path, executable="/bin/p q"))
        line = next(crash_told.commands(there, "/book", False)).line
        assert shlex.split(line)[-2:] == ["/bin/p q", path]
    packed = replace(crash, circumstances=replace(crash.circumstances, path="/c/core.1.zst"))
    assert next(crash_told.commands(packed, "/book", False)).line.startswith("zstd -dc /c/core.1.zst > case-")
    hidden = replace(crash, circumstances=replace(crash.circumstances, path="/c/\x1b]0;x\x07"))
    assert shlex.split(next(crash_told.commands(hidden, "/book", False)).line)[-1] == "CORE"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("_ZN7Replica5drainERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEm", "Replica::drain"),
        ("_ZN1AltERKS_", "A::operator<"),
        ("_ZN1AclEi", "A::operator()"),
        ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
        ("libc.so.6+0x2724a", "libc.so.6+0x2724a"),
    ],
)
def test_a_function_is_shortened_to_its_name(name: str, shown: str) -> None:
    assert crash_told.brief(name) == shown


def bare(number: int = 1, **changes: Any) -> Case:
    """A crash of which next to nothing is known."""
    crash = case(corpus()[0])
    where = replace(
        crash.circumstances,
        path="/cores/one",
        time=None,
        time_source="unknown",
        host=None,
        host_source="unknown",
        cpu=None,
        numa_node=None,
        tid=None,
        labels=(),
    )
    known = replace(crash, case_id=f"{number:032x}", circumstances=where, thread_count=None)
    return replace(known, **changes)


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """A crash without evidence, host and time; one without a thread; one that was read twice, with two results."""
    folder = tmp_path_factory.mktemp("poor")
    empty = bare(2, registers={}, frames=(), below_sp=(), threads=(), modules=(), findings=(), mechanism="not_judged")
    other = bare(3, rules_version=1, reader_version=1)
    denied = tuple(Finding(one.label, "does_not_hold" if one.state == "holds" else one.state) for one in other.findings)
    again = replace(other, findings=denied, circumstances=replace(other.circumstances, path="/cores/again"))
    cases = [bare(), empty, other, again]
    examined = [Examined(Specimen(one.circumstances.path + str(n), 1, "1"), one) for n, one in enumerate(cases)]
    with pages_of(kept(folder / "book", examined, keep="none"), folder / "cache") as read:
        yield read


def test_without_evidence_the_page_says_what_cannot_be_shown_and_how_to_keep_it(poor: Read) -> None:
    html = poor.html(f"/cases/{1:032x}")
    assert "neither its stack words nor its instructions can be shown" in html
    assert "--keep pointers" in html
    assert told(poor, f"{1:032x}").words is None
    assert told(poor, f"{1:032x}").registers
    refused = poor.reader.get(f"/cases/{1:032x}.core")
    assert refused.status_code == 404
    assert "--keep" in refused.text


def test_what_was_not_observed_is_named(poor: Read) -> None:
    for number in (1, 2):
        html = poor.html(f"/cases/{number:032x}")
        assert "host not known" in html
        assert "time not known" in html
        assert "How many threads it had is not known" in html
        assert not re.search(r">\s*(?:None|nan|null)\s*<", html)
    assert "No registers were in what is left of the core dump" in poor.html(f"/cases/{2:032x}")
    assert "No frame could be found" in poor.html(f"/cases/{2:032x}")


def test_readings_that_contradict_each_other_are_told(poor: Read) -> None:
    page = told(poor, f"{3:032x}")
    assert [one.counts for one in page.readings].count(True) == 1
    assert len(page.readings) == 2
    assert {one.label: one.states for one in page.contradictions} == {
        one.label: ["does_not_hold", "holds"] for one in bare().findings if one.state == "holds"
    }
    assert "They contradict each other" in poor.html(f"/cases/{3:032x}")


def hostile(number: int, text: str) -> Case:
    """A crash of which every text is this one."""
    crash = case(sample()[0])
    where = replace(
        crash.circumstances,
        path=f"/{text}",
        executable=text,
        kernel_release=text,
        host=text,
        boot_id=text,
        service=text,
        service_release=text,
        workload=text,
        region=text,
        labels=((text, text), ("fleet", text)),
    )
    frames = tuple(one._replace(function=text, module=f"/{text}", build_id=text) for one in crash.frames)
    modules = tuple(replace(one, path=f"/{text}", build_id=text) for one in crash.modules)
    features = crash.features | {"abort_message": text, "abort_kind": text}
    return replace(
        crash,
        case_id=f"{number:032x}",
        circumstances=where,
        frames=frames,
        below_sp=frames[:2],
        handler_frames=frames[:2],
        modules=modules,
        features=features,
        missing=(Gap(text, text, text),),
        findings=judged(replace(crash, features=features)).findings,
    )


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Two crashes whose every text means harm, one of them a million characters long."""
    folder = tmp_path_factory.mktemp("attacked")
    cases = (hostile(1, HOSTILE), hostile(2, LONG))
    examined = [Examined(Specimen(f"/{n}", 1, "1"), one) for n, one in enumerate(cases)]
    with pages_of(kept(folder / "book", examined, keep="none"), folder / "cache") as read:
        yield read


@pytest.mark.parametrize("number", [1, 2])
def test_hostile_texts_are_shown_as_text(attacked: Read, number: int) -> None:
    html = attacked.html(f"/cases/{number:032x}")
    assert "<script>alert" not in html
    assert "<img" not in html
    assert not CONTROLS.search(html)
    assert "&lt;script&gt;alert(1)" in html
    assert "\\x1b[31m\\u202egnp.exe\\x00" in html
    assert len(html) < 2_000_000
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=", html)


def test_hostile_texts_come_back_whole_in_the_json(attacked: Read) -> None:
    assert attacked.json(f"/cases/{2:032x}")["case"]["service"] == LONG
