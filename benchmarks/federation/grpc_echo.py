"""A process that echoes bytes by gRPC, without identity or encryption: `... PORT`."""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

MOST = [("grpc.max_receive_message_length", 1 << 28), ("grpc.max_send_message_length", 1 << 28)]


def serve(port):
    """Echo until killed."""
    server = grpc.server(ThreadPoolExecutor(2), options=MOST)
    echo = grpc.unary_unary_rpc_method_handler(lambda blob, _context: blob)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench", {"echo": echo}),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(sys.argv[1])
