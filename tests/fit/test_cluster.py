"""Designs learn on a Ray cluster of two nodes, and the result is that of one process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="the package ray is not installed")

RAY = Path(sys.executable).with_name("ray")
SEARCH = """
import json, sys
from netsuke import api
from netsuke.devices import Limits
from netsuke.train import Recipe
options = {"cluster": sys.argv[1]} if len(sys.argv) > 1 else {}
result = api.fit("lenet?size=8&width=0.5", "nucleo-f446re", "digits", Limits(ram=400),
                 epochs=2, designs=4, recipe=Recipe(threads=1, lr=3e-3), **options)
nodes = 0
if options:
    import ray
    nodes = sum(node["Alive"] for node in ray.nodes())
print(json.dumps([result.quantized.fingerprint(), [a.metric for a in result.attempts], nodes]))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ray(*arguments: str) -> None:
    small = ("--num-cpus=1", "--object-store-memory=120000000", "--disable-usage-stats")
    command = [str(RAY), *arguments, *(small if arguments[0] == "start" else ())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def cluster() -> Iterator[str]:
    port = free_port()
    try:
        local = "--node-ip-address=127.0.0.1"
        ray("start", "--head", local, f"--port={port}", "--include-dashboard=false")
        ray("start", f"--address=127.0.0.1:{port}", local)
        yield f"127.0.0.1:{port}"
    finally:
        ray("stop", "--force")


def run(*arguments: str) -> list[object]:
    environment = {**os.environ, "RAY_DEDUP_LOGS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: list[object] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def test_two_nodes_find_what_one_process_finds(cluster: str) -> None:
    alone, together = run(), run(cluster)
    assert together[2] == 2
    assert alone[:2] == together[:2]


def test_a_cluster_that_is_not_there_is_one_clear_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, f"127.0.0.1:{free_port()}"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "RAY_gcs_rpc_server_reconnect_timeout_s": "1"},
        check=False,
    )
    assert done.returncode != 0 and "no Ray cluster answers at" in done.stderr
