"""A server process that speaks AlphaGenome's protocols over loopback gRPC, with made-up scores and faults on demand.

For tests and benchmarks only: agdb itself never scores with anything but the model that it was told to use. The SDK's
own `DnaClient` and `AtlasClient` talk to it. What it serves is computed from a made-up genome (`fakes.sequence`) by a
made-up model (`fakes.model`), so that a test can compute every score on its own; what goes wrong is a plan
(`fakes.faults`) that can be changed while the server runs.

    from fakes.faults import Plan, fails_first, poisoned
    from fakes.process import Server

    with Server(Plan(latency_ms=200, faults=(poisoned(0.01), fails_first(2, "UNAVAILABLE")))) as server:
        ...  # clients of server.address
        server.stats()["calls"]
"""
