"""`python -m fakes --port 0 --plan plan.json`: serve until SIGTERM, or until POST /stop.

When all is ready, one line of JSON goes to stdout: `{"port": ..., "control": ...}`, two ports of 127.0.0.1. The first
speaks gRPC (clear text), the second HTTP (`fakes.control`).
"""

import argparse
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
from alphagenome.protos import atlas_service_pb2_grpc as atlas_grpc
from alphagenome.protos.v1 import dna_model_service_pb2_grpc as service_grpc

from fakes import tracks
from fakes.atlas import AtlasService
from fakes.control import Control
from fakes.faults import Plan
from fakes.gate import Gate
from fakes.model import Model
from fakes.services import ModelService


def main() -> None:
    """Parse the command line, serve, and end the process."""
    arguments = _arguments()
    stop = Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    if arguments.until_eof:
        Thread(target=_wait_for_eof, args=(stop,), daemon=True).start()
    gate = Gate(Plan.from_json(arguments.plan.read_bytes()) if arguments.plan else Plan())
    model = Model(tracks.load(arguments.tracks_tsv))
    for output_type in model.tracks:
        model.table(output_type)  # before the first call, which would wait for it
    server, port = _serving(model, gate, arguments.port, arguments.workers)
    control = Control(gate, stop)
    print(json.dumps({"port": port, "control": control.port}), flush=True)
    stop.wait()
    server.stop(grace=None).wait()
    sys.stderr.flush()
    os._exit(0)  # without waiting for worker threads that are amid a call


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fakes", description="A made-up AlphaGenome on loopback, for tests.")
    parser.add_argument("--port", type=int, default=0, help="gRPC port of 127.0.0.1; 0: any free one")
    parser.add_argument("--plan", type=Path, help="JSON of a fakes.faults.Plan; without it, nothing goes wrong")
    parser.add_argument("--tracks-tsv", type=Path, default=tracks.DEFAULT, help="table of the tracks to serve")
    parser.add_argument("--workers", type=int, default=256, help="calls that can be in progress at a time")
    parser.add_argument("--until-eof", action="store_true", help="end with stdin: with whoever started it")
    return parser.parse_args()


def _wait_for_eof(stop: Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _serving(model: Model, gate: Gate, port: int, workers: int) -> tuple[Any, int]:
    """The started server, and its port."""
    options = [("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(workers), options=options)
    service_grpc.add_DnaModelServiceServicer_to_server(ModelService(model, gate), server)
    atlas_grpc.add_AtlasServiceServicer_to_server(AtlasService(model, gate), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound


if __name__ == "__main__":
    main()
