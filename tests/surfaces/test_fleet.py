"""`fleet add` and `fleet show`, as their users meet them."""

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from broadstreet.errors import BroadStreetError, UsageError
from broadstreet.records.columns import FLEET
from broadstreet.sources.fleet.mapping import mappings
from broadstreet.surfaces.cli import cli
from tests.fleet_store import MemoryStore, csv, lines

SAMPLE = Path(__file__).parents[2] / "sample" / "fleet"


def run(store: MemoryStore, *arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["fleet", *map(str, arguments)], obj=store)


def add(store: MemoryStore, *arguments: str | Path) -> str:
    result = run(store, "add", *arguments)
    assert result.exception is None, result.stderr
    return result.stdout


def refused(store: MemoryStore, *arguments: str | Path) -> str:
    before = dict(store.tables)
    result = run(store, "add", *arguments)
    assert isinstance(result.exception, BroadStreetError)
    assert store.tables == before, "something was added"
    return result.stderr


def test_a_folder_is_added_once(tmp_path: Path) -> None:
    store = MemoryStore()
    assert add(store, SAMPLE).splitlines() == [
        "hosts: 49,146 rows added",
        "placements: 37,775 rows added",
        "services: 52,907 rows added",
        "builds: 11 rows added",
        "at_risk: 64,950 rows added",
        "fatal_signals: 406 rows added",
    ]
    assert add(store, *sorted(SAMPLE.iterdir())).splitlines()[0] == "hosts: 0 rows added, 49,146 known already"
    assert len(store.notes) == 6


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet"])
@pytest.mark.parametrize("table", FLEET)
def test_what_is_written_out_is_known_when_it_comes_back(table: str, form: str, tmp_path: Path) -> None:
    store = MemoryStore()
    some = parquet.read_table(SAMPLE / f"{table}.parquet").slice(0, 300)
    parquet.write_table(some.append_column("pool", [["blue"] * some.num_rows]), tmp_path / "in.parquet")
    add(store, table, tmp_path / "in.parquet")
    assert run(store, "show", table, "-o", form, "--output", tmp_path / f"{table}.{form}").exit_code == 0
    again = add(store, tmp_path / f"{table}.{form}")
    assert f"{table}: 0 rows added, {some.num_rows} known already" in again
    assert "kept as exposures: pool" in again


def test_a_later_row_ends_an_open_one_and_an_end_that_becomes_known_is_taken(tmp_path: Path) -> None:
    store, names = MemoryStore(), ("host", "physical_host", "from", "to")
    header = "host,physical_host,from,to"
    first = csv(tmp_path / "1.csv", header, "vm-1,ph-1,2026-01-01,", "vm-2,ph-1,2026-01-01,")
    second = csv(tmp_path / "2.csv", header, "vm-1,ph-2,2026-01-08,", "vm-2,ph-1,2026-01-01,2026-01-05")
    add(store, "placements", first)
    assert "placements: 1 row added, 1 open until now, ended" in add(store, "placements", second)
    for path in (first, second, first):
        add(store, "placements", path)
        assert lines(store, "placements", names) == [
            "vm-1 ph-1 2026-01-01 2026-01-08",
            "vm-1 ph-2 2026-01-08 -",
            "vm-2 ph-1 2026-01-01 2026-01-05",
        ]


def test_rows_that_contradict_each_other_are_both_named(tmp_path: Path) -> None:
    store = MemoryStore()
    add(store, "hosts", csv(tmp_path / "1.csv", "host,sku,from,to", "vm-1,a,2026-01-01,2026-03-01"))
    path = csv(
        tmp_path / "2.csv",
        "host,sku,from,to",
        "vm-1,b,2026-02-01,",
        "vm-2,a,2026-01-01,2026-01-09",
        "vm-2,c,2026-01-03,",
    )
    said = refused(store, "hosts", path).replace(f"{tmp_path}/", "")
    assert said.splitlines() == [
        "  2.csv row 2: contradicts a known row (vm-1): 2026-02-01T00:00:00Z to open and "
        "2026-01-01T00:00:00Z to 2026-03-01T00:00:00Z; sku b against a",
        "  2.csv row 4: contradicts 2.csv row 3 (vm-2): 2026-01-03T00:00:00Z to open and "
        "2026-01-01T00:00:00Z to 2026-01-09T00:00:00Z; sku c against a",
    ]


def test_files_given_together_are_one(tmp_path: Path) -> None:
    header, row = "host,from,to,host_hours", "vm-1,2026-01-01,2026-01-02,24"
    one, two = csv(tmp_path / "1.csv", header, row), csv(tmp_path / "2.csv", header, "", row)
    said = refused(MemoryStore(), "at_risk", one, two).replace(f"{tmp_path}/", "")
    assert said.startswith("  2.csv row 3: the same as 1.csv row 2 (vm-1); it would count twice")


def test_one_wrong_table_of_a_folder_adds_none(tmp_path: Path) -> None:
    csv(tmp_path / "hosts.csv", "host", "vm-1")
    csv(tmp_path / "builds.csv", "build_id,library", "abc,")
    assert "builds.csv row 2, library: nothing; wanted a value" in refused(MemoryStore(), tmp_path)


def test_a_region_s_service_and_a_host_s_are_two_keys(tmp_path: Path) -> None:
    store = MemoryStore()
    rows = ("vm-1,north,ingest,1,2026-01-01,", ",north,ingest,2,2026-01-01,", "vm-1,south,ingest,3,2026-02-01,")
    add(store, "services", csv(tmp_path / "s.csv", "host,region,service,service_release,from,to", *rows))
    assert lines(store, "services", ("host", "service_release", "from", "to")) == [
        "- 2 2026-01-01 -",
        "vm-1 1 2026-01-01 2026-02-01",
        "vm-1 3 2026-02-01 -",
    ]


def test_replace_forgets_what_was_known_and_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    store = MemoryStore()
    path = csv(tmp_path / "hosts.csv", "host,sku", "vm-1,a")
    assert add(store, path, "--dry-run").splitlines()[-1] == "Nothing was written (--dry-run)."
    assert store.tables == {}
    add(store, path)
    csv(path, "host,sku", "vm-1,b")
    assert "contradicts a known row (vm-1): ever to open" in refused(store, path)
    add(store, path, "--replace")
    assert lines(store, "hosts", ("host", "sku")) == ["vm-1 b"]


def node(name: str, kernel: str, ready: str, status: str = "True", **labels: str) -> dict[str, Any]:
    """A node as the API writes it, with the parts that do not matter here cut short."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "node.kubernetes.io/instance-type": "m7i.4xlarge",
                "topology.kubernetes.io/region": "eu-west-1",
                "topology.kubernetes.io/zone": "eu-west-1b",
                **labels,
            },
            "name": name,
            "resourceVersion": "41",
            "uid": "b1c0",
        },
        "spec": {"podCIDR": "10.0.1.0/24", "providerID": f"aws:///eu-west-1b/{name}"},
        "status": {
            "capacity": {"cpu": "16"},
            "conditions": [
                {
                    "type": "MemoryPressure",
                    "status": "False",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                    "reason": "KubeletHasSufficientMemory",
                },
                {"type": "Ready", "status": status, "lastTransitionTime": ready, "reason": "KubeletReady"},
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": f"boot-of-{kernel}",
                "kernelVersion": kernel,
                "kubeletVersion": "v1.33.1",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
            },
        },
    }


def kubectl(path: Path, *nodes: dict[str, Any]) -> Path:
    listed = {"apiVersion": "v1", "items": nodes, "kind": "List", "metadata": {"resourceVersion": ""}}
    path.write_text(json.dumps(listed, indent=4) + "\n")
    return path


KUBE = ("host", "kernel_release", "from", "to")


def test_a_node_is_known_since_its_creation_and_its_kernel_since_it_is_ready(tmp_path: Path) -> None:
    store = MemoryStore()
    path = kubectl(tmp_path / "nodes.json", node("n1", "6.1", "2026-02-01T00:00:00Z"))
    said = add(store, path, "--at", "2026-03-01T00:00:00Z").replace(f"{tmp_path}/", "")
    assert said.splitlines() == [
        "hosts: 2 rows added",
        "  nodes.json was taken as a snapshot of 2026-03-01T00:00:00Z (--at)",
        "  kept as exposures: architecture, boot_id, os_image",
    ]
    assert lines(store, "hosts", KUBE) == ["n1 - 2026-01-01 2026-02-01", "n1 6.1 2026-02-01 -"]
    first, now = store.rows("hosts")
    assert (first["region"], first["zone"], first["sku"]) == ("eu-west-1", "eu-west-1b", "m7i.4xlarge")
    assert now["exposures"]["boot_id"] == "boot-of-6.1"
    assert "boot_id" not in first.get("exposures", {})
    assert "boot_time" not in now


def test_a_node_that_is_not_ready_has_its_kernel_since_the_snapshot(tmp_path: Path) -> None:
    store = MemoryStore()
    path = kubectl(tmp_path / "nodes.json", node("n1", "6.1", "2026-02-01T00:00:00Z", status="Unknown"))
    add(store, "hosts", path, "--at", "2026-03-01T00:00:00Z")
    assert lines(store, "hosts", KUBE) == ["n1 - 2026-01-01 2026-03-01", "n1 6.1 2026-03-01 -"]


def test_a_later_snapshot_ends_what_changed_and_keeps_the_rest(tmp_path: Path) -> None:
    store = MemoryStore()
    ready = "2026-02-01T00:00:00Z"
    first = kubectl(tmp_path / "1.json", *(node(f"n{i}", "6.1", ready) for i in (1, 2, 3)))
    second = kubectl(
        tmp_path / "2.json",
        node("n1", "6.1", ready),
        node("n2", "6.6", "2026-03-04T00:00:00Z"),
        node("n4", "6.6", ready),
    )
    add(store, "hosts", first, "--at", "2026-03-01")
    said = add(store, "hosts", second, "--at", "2026-03-08")
    assert said.splitlines()[0] == "hosts: 3 rows added, 1 known already, 1 open until now, ended"
    assert lines(store, "hosts", KUBE)[2:] == [
        "n2 - 2026-01-01 2026-02-01",
        "n2 6.1 2026-02-01 2026-03-04",
        "n2 6.6 2026-03-04 -",
        "n3 - 2026-01-01 2026-02-01",
        "n3 6.1 2026-02-01 -",
        "n4 - 2026-01-01 2026-02-01",
        "n4 6.6 2026-02-01 -",
    ]
    assert "0 rows added" in add(store, "hosts", second, "--at", "2026-03-09")
    add(store, "hosts", second, "--at", "2026-03-10", "--complete")
    assert "n3 6.1 2026-02-01 2026-03-10" in lines(store, "hosts", KUBE)
    assert "older than what is known" in add(store, "hosts", first, "--at", "2026-03-02")


def test_a_label_of_a_node_can_be_a_column(tmp_path: Path) -> None:
    store = MemoryStore()
    (tmp_path / "map.toml").write_text('[hosts]\nrack = "label:example.com/rack"\npool = "label:example.com/pool"\n')
    labels = {"example.com/rack": "r7", "example.com/pool": "blue"}
    path = kubectl(tmp_path / "nodes.json", node("n1", "6.1", "2026-02-01T00:00:00Z", **labels))
    add(store, path, "--map", tmp_path / "map.toml")
    assert store.rows("hosts")[1]["rack"] == "r7"
    assert store.rows("hosts")[1]["exposures"]["pool"] == "blue"


def test_an_inventory_without_times_is_a_snapshot_if_a_time_is_given(tmp_path: Path) -> None:
    store, path = MemoryStore(), tmp_path / "hosts.csv"
    add(store, csv(path, "host,sku,rack", "vm-1,a,r1", "vm-2,a,r1"))
    add(store, csv(path, "host,sku", "vm-1,b", "vm-2,a"), "--at", "2026-03-01T00:00:00Z")
    assert lines(store, "hosts", ("host", "sku", "rack", "from", "to")) == [
        "vm-1 a r1 - 2026-03-01",
        "vm-1 b r1 2026-03-01 -",
        "vm-2 a r1 - -",
    ]


def test_complete_needs_a_snapshot(tmp_path: Path) -> None:
    result = run(MemoryStore(), "add", csv(tmp_path / "hosts.csv", "host", "vm-1"), "--complete")
    assert isinstance(result.exception, UsageError)


@pytest.mark.parametrize("arguments", [["hosts"], ["nowhere.csv"], ["hosts", "nowhere.csv"], ["."]])
def test_what_names_no_file_of_a_table_is_refused(arguments: list[str], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(run(MemoryStore(), "add", *arguments).exception, UsageError)


def test_an_empty_fleet_names_what_every_analysis_needs() -> None:
    said = run(MemoryStore({"vm-1": 3}), "show").stdout
    assert said.splitlines()[:3] == ["Known of the fleet", "  hosts          nothing", "  placements     nothing"]
    assert "  rates                            broadstreet fleet add at_risk FILE\n" in said
    assert "Not in any table" not in said


def test_a_known_fleet_says_how_much_and_what_is_missing(tmp_path: Path) -> None:
    store = MemoryStore()
    add(store, csv(tmp_path / "hosts.csv", "host,region,from,to", "vm-1,n,2026-01-01,2026-02-01", "vm-1,n,2026-02-01,"))
    said = run(store, "show").stdout
    assert "  hosts          2 rows, 1 host, 2026-01-01 to 2026-02-01, 1 open\n" in said
    assert "  kernels                          broadstreet fleet add hosts FILE  # with kernel_release\n" in said
    assert "regions" not in said


def test_the_whole_sample_lacks_nothing() -> None:
    store = MemoryStore()
    add(store, SAMPLE)
    assert "Missing" not in run(store, "show").stdout


@pytest.mark.parametrize(
    ("cases", "table", "mends"),
    [
        ("vm-17", "vm-17.example.com", 'host = { column = "host", format = "short_name" }'),
        ("vm-17.example.com", "vm-17", 'host = { column = "host", suffix = ".example.com" }'),
        ("VM-17", "vm-17", "names differ in case"),
        ("other", "vm-17", "the same names here as in the core dumps"),
    ],
)
def test_hosts_that_no_table_knows_are_named_with_what_mends_it(
    cases: str, table: str, mends: str, tmp_path: Path
) -> None:
    store = MemoryStore({cases: 9, "zz": 3, "vm-18": 100})
    add(store, csv(tmp_path / "hosts.csv", "host", table, "vm-18"))
    said = run(store, "show").stdout
    assert f"Not in any table: {cases} and 1 more, 12 cases\n" in said
    assert mends in said


def test_a_table_for_people_shows_what_has_values(tmp_path: Path) -> None:
    store = MemoryStore()
    add(store, csv(tmp_path / "builds.csv", "build_id,library,team", "ab12,libunwind.so.8,infra"))
    assert run(store, "show", "builds").stdout.splitlines() == [
        "build_id  library         team",
        "ab12      libunwind.so.8  infra",
    ]


def test_the_page_has_every_column_of_every_table_and_says_which_it_needs() -> None:
    page = (SAMPLE.parents[1] / "docs" / "fleet.md").read_text("utf-8")
    for table in FLEET.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{table.name}` |"))
        written = re.findall(r"(\*\*)?`(\w+)`", row)[1:]
        assert {name for _, name in written} == {column.name for column in table.columns} - {"exposures"}
        assert {name for bold, name in written if bold} == set(table.needs)


def test_the_mapping_on_the_page_is_one(tmp_path: Path) -> None:
    page = (SAMPLE.parents[1] / "docs" / "fleet.md").read_text("utf-8")
    text = page.split("--map FILE.toml`\n\n")[1].split("\n\n")[0]
    (tmp_path / "map.toml").write_text(dedent(text))
    assert len(mappings(str(tmp_path / "map.toml"))["hosts"].columns) == 5
