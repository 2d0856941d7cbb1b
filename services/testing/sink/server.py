"""
A ClickHouse server out of the engine's library, for tests of clusters: `clickhouse local` of this version can listen,
and the library that the embedded engine loads has its entry. One process is one server, with the native protocol, so
that Distributed tables reach it. No Keeper and no replication: this server has no port for other replicas.

It runs on a terminal of its own, at whose prompt it waits for ever for somebody to type. Without a terminal it takes
itself for one run of a batch, and whatever goes wrong in any of its threads ends it: an HTTP request that is none is
enough. Faults go to stderr, which is no terminal.

    python3 server.py LIBRARY CONFIG DATA TCP_PORT HTTP_PORT
"""

import ctypes
import fcntl
import os
import sys
import termios
import threading

READ_BYTES = 65_536


def open_terminal():
    """Makes a terminal that this process reads and writes, and a thread that takes what it is shown."""
    ours, theirs = os.openpty()
    os.setsid()
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
    for stream in (sys.stdin, sys.stdout):
        os.dup2(theirs, stream.fileno())
    threading.Thread(target=drain, args=(ours,), daemon=True).start()


def drain(terminal):
    while os.read(terminal, READ_BYTES):
        pass


def serve(library, config, data, tcp_port, http_port):
    arguments = [
        "clickhouse",
        *("--config-file", config, "--path", data, "--listen_host", "127.0.0.1"),
        *("--tcp_port", tcp_port, "--http_port", http_port),
        *("--interactive", "--history_file", os.devnull),
        *("--query", "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP"),
    ]
    run = ctypes.CDLL(library).chdb_query_cmdline
    run.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    run.restype = ctypes.c_void_p
    run(len(arguments), (ctypes.c_char_p * len(arguments))(*[text.encode() for text in arguments]))


open_terminal()
serve(*sys.argv[1:])
