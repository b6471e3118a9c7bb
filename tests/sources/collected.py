"""Files as collectors write them, around a core dump that is given; written without the package that reads them."""

import base64
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

SECRET = "hunter2-planted"
UUID = "b9b8b3ea-6d1c-4b5c-9f6e-0f6a5b7c8d9e"


def apport_report(core: bytes, piece: int = 1 << 20, **fields: str) -> bytes:
    """As apport's problem_report.py writes it: texts, then gzip in lines that are encoded one by one."""
    texts = {
        "ProblemType": "Crash",
        "Architecture": "amd64",
        "Date": "Tue Oct  6 11:38:57 2026",
        "DistroRelease": "Ubuntu 26.04",
        "ExecutablePath": "/usr/bin/walker",
        "Package": "walker 9.7-1",
        "ProcCmdline": f"walker --password={SECRET}",
        "ProcEnviron": f"LANG=C.UTF-8\nTOKEN={SECRET}",
        "ProcStatus": "Name:\twalker\nUmask:\t0022\nPid:\t23595\nUid:\t1000\t1000\t1000\t1000",
        "Signal": "11",
        "Uname": "Linux 7.0.0-34-generic x86_64",
        "UserGroups": "adm sudo",
        **fields,
    }
    out = io.BytesIO()
    for key, text in texts.items():
        first, *more = text.split("\n")
        if more:
            out.write(f"{key}:\n".encode() + b"".join(f" {line}\n".encode() for line in [first, *more]))
        else:
            out.write(f"{key}: {text}\n".encode())
    out.write(b"CoreDump: base64\n ")
    out.write(base64.b64encode(b"\x1f\x8b\x08\x08\0\0\0\0\x02\xffCoreDump\0") + b"\n ")
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, 0)
    for at in range(0, len(core), piece):
        block = packer.compress(core[at : at + piece])
        if block:
            out.write(base64.b64encode(block) + b"\n ")
    trailer = packer.flush() + struct.pack("<LL", zlib.crc32(core), len(core) & 0xFFFFFFFF)
    out.write(base64.b64encode(trailer) + b"\n")
    out.write(b"ZuluField: base64\n H4sICAAAAAAC/1p1bHVGaWVsZAA=\n AAAA\n")
    return out.getvalue()


def handler_zip(folder: Path, core: bytes, method: int = zipfile.ZIP_DEFLATED, runtime: bool = True) -> Path:
    """As core-dump-composer writes it: dump info, the core dump, then what the container runtime said."""
    name = f"{UUID}-dump-1782820800-web-7f9c-x2x-walker-1-11"
    info = {"uuid": UUID, "dump_file": f"{name}.core", "timestamp": "1782820800", "hostname": "web-7f9c-x2x"}
    info |= {"exe": "walker", "real_pid": "1", "signal": "11", "node_hostname": "node-17"}
    info |= {"path": "!usr!bin!walker"}
    pod = {"id": "5b2", "metadata": {"name": "web-7f9c-x2x", "namespace": "shop", "attempt": 0}, "labels": {}}
    containers = {"containers": [{"id": "c1", "metadata": {"name": "web"}, "image": {"image": "sha256:1"}}]}
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        members = [(f"{name}-dump-info.json", json.dumps(info).encode()), (f"{name}.core", core)]
        if runtime:
            members += [
                (f"{name}-pod-info.json", json.dumps(pod).encode()),
                (f"{name}-runtime-info.json", json.dumps({"env": [f"TOKEN={SECRET}"]}).encode()),
                (f"{name}-ps-info.json", json.dumps(containers).encode()),
                (f"{name}-0.log", f"logging in with {SECRET}".encode()),
                (f"{name}-0-image-info.json", json.dumps({"repoTags": ["registry/shop/web:1.4"]}).encode()),
            ]
        for member, data in members:
            entry = zipfile.ZipInfo(member)
            entry.compress_type = method
            with archive.open(entry, "w", force_zip64=True) as file:
                file.write(data)
    return path


def problem_folder(folder: Path, core: bytes, core_name: str = "coredump") -> Path:
    """As abrt-hook-ccpp and abrt's journal reader write it: one file for each element."""
    place = folder / "ccpp-2026-06-30-12:00:00.123456-23595"
    place.mkdir(parents=True)
    elements = {
        "abrt_version": "2.17.6",
        "analyzer": "abrt-journal-core",
        "cmdline": f"walker --password={SECRET}",
        "core_backtrace": '{"signal": 11}',
        "environ": f"TOKEN={SECRET}",
        "executable": "/usr/bin/walker",
        "hostname": "node-17.example",
        "kernel": "6.12.0-211.el10.x86_64",
        "package": "walker-9.7-1.el10",
        "pid": "23595",
        "reason": "walker killed by SIGSEGV",
        "time": "1782820800",
        "type": "CCpp",
        "uid": "1000",
        "maps": "00400000-00401000 r-xp",
    }
    for name, text in elements.items():
        (place / name).write_text(text + "\n")
    (place / core_name).write_bytes(core)
    return place
