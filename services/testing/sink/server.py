"""
A ClickHouse server out of the engine's library, for tests of clusters: `clickhouse local` of this version can listen,
and the library that the embedded engine loads has its entry. One process is one server, with the native protocol, so
that Distributed tables reach it. No Keeper and no replication: this server has no port for other replicas.

    python3 test-server.py LIBRARY CONFIG DATA TCP_PORT HTTP_PORT
"""

import ctypes
import sys

library, config, data, tcp_port, http_port = sys.argv[1:]
FOR_EVER = (
    "SELECT sleepEachRow(1) FROM numbers(1000000000) "
    "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null"
)
arguments = [
    "clickhouse",
    *("--config-file", config, "--path", data, "--listen_host", "127.0.0.1"),
    *("--tcp_port", tcp_port, "--http_port", http_port),
    *("--query", f"SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; {FOR_EVER}"),
]
run = ctypes.CDLL(library).chdb_query_cmdline
run.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
run.restype = ctypes.c_void_p
run(len(arguments), (ctypes.c_char_p * len(arguments))(*[text.encode() for text in arguments]))
