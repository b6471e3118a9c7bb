"""`kubectl get nodes -o json`, as it is: a snapshot of hosts.

What a node object tells, and for when (Kubernetes API reference, NodeStatus and ObjectMeta):

- `metadata.creationTimestamp`: when the node was registered. Since then its name, region, zone and instance type are
  taken to hold: they are of the machine.
- `status.nodeInfo`: kernel, OS image and boot id at the time of the snapshot. They change at a reboot, and a node that
  reboots becomes Ready anew. So they hold since the Ready condition last changed, if it is True now; else only now.
- When the machine booted is not told, nor CPU model, microcode and rack (unless a label has it).

So a node gives two rows: from its creation until Ready, with the kernel unknown, and an open one since then.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as arrow

from broadstreet.errors import UsageError
from broadstreet.sources.fleet.batches import Batch

LABEL = "label:"
LABELS = {
    "region": ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"),
    "zone": ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"),
    "sku": ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"),
}
INFO = {
    "kernel_release": "kernelVersion",
    "os_image": "osImage",
    "architecture": "architecture",
    "boot_id": "bootID",
}
Row = dict[str, str | None]


def is_nodes(content: Any) -> bool:
    """Whether a JSON document is one node of Kubernetes, or a list of them."""
    if not isinstance(content, dict) or "apiVersion" not in content:
        return False
    if content.get("kind") == "List":
        items = content.get("items")
        return isinstance(items, list) and all(isinstance(i, dict) and i.get("kind") == "Node" for i in items)
    return content.get("kind") in ("Node", "NodeList")


def nodes(path: str, content: dict[str, Any], labels: Iterable[str], at: str) -> Batch:
    """The rows of all nodes at that time, with these labels as columns `label:KEY`. A row's number is its node's."""
    items = content.get("items", []) if content["kind"] != "Node" else [content]
    rows: list[Row] = []
    numbers: list[int] = []
    for number, node in enumerate(items if isinstance(items, list) else [], 1):
        for row in _rows(node, list(labels), at):
            rows.append(row)
            numbers.append(number)
    if not rows:
        raise UsageError(f"{path}: no node in it", "kubectl get nodes -o json > nodes.json")
    columns = {name: arrow.array([row.get(name) for row in rows], arrow.string()) for name in rows[-1]}
    return Batch(np.array(numbers, np.int64), columns)


def _rows(node: Any, wanted: list[str], at: str) -> list[Row]:
    metadata, status = _object(node, "metadata"), _object(node, "status")
    labels, info = _object(metadata, "labels"), _object(status, "nodeInfo")
    place: Row = {
        "host": _text(metadata, "name"),
        **{name: next(filter(None, (_text(labels, key) for key in keys)), None) for name, keys in LABELS.items()},
        **{LABEL + key: _text(labels, key) for key in wanted},
    }
    state = {name: _text(info, key) for name, key in INFO.items()}
    created, ready = _text(metadata, "creationTimestamp"), _ready_since(status)
    since = ready or at
    now: Row = {**place, **state, "from": since, "to": None}
    if created is None or since <= created:  # all are RFC 3339 in UTC to the second, so text compares
        return [now]
    return [{**place, **dict.fromkeys(state), "from": created, "to": since}, now]


def _ready_since(status: dict[str, Any]) -> str | None:
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else []:
        if isinstance(condition, dict) and condition.get("type") == "Ready" and condition.get("status") == "True":
            return _text(condition, "lastTransitionTime")
    return None


def _object(parent: Any, key: str) -> dict[str, Any]:
    found = parent.get(key) if isinstance(parent, dict) else None
    return found if isinstance(found, dict) else {}


def _text(parent: dict[str, Any], key: str) -> str | None:
    found = parent.get(key)
    return found if isinstance(found, str) else None
