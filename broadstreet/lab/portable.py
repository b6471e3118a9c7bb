"""What core dumps need beside them to read the same on any machine: a by-build-id store of their binaries.

Of each binary the store keeps headers, code, unwind tables and names, compressed.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import zstandard

from broadstreet.sources.binary_store import add

LEVEL = 19


def keep_binaries(cases: Iterable[bytes], store: Path) -> None:
    """Keep the binaries of these cases, which are NDJSON lines of a scan, as far as this machine has them."""
    paths = {
        module["path"]
        for case in cases
        for module in json.loads(case)["modules"]
        if module["found"] and module["build_id"] and module["path"].startswith("/")
    }
    for path in sorted(paths):
        list(add(path, str(store)))
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    for path in sorted(store.rglob("*")):
        if path.is_file() and path.suffix != ".zst":
            path.with_name(path.name + ".zst").write_bytes(compressor.compress(path.read_bytes()))
            path.unlink()
