"""A third-party STS: moto's, on a free port, which it prints. It ends with its standard input."""

import sys

from moto.moto_server.threaded_moto_server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d/" % server.get_host_and_port(), flush=True)
sys.stdin.read()
server.stop()
