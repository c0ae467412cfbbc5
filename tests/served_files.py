"""A real HTTP server on this machine that serves what a test wants, and counts."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Served:
    """Bytes by path; a path may have another status or a function that writes the answer."""

    def __init__(self):
        self.files, self.status, self.asked = {}, {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def served():
    """A `Served` whose files may be changed at any time."""
    here = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            here.asked.append(self.path)
            found = here.files.get(self.path)
            if callable(found):
                with contextlib.suppress(OSError):  # the client has gone
                    found(self)
                return
            status = here.status.get(self.path, 404 if found is None else 200)
            self.send_response(status)
            if found is not None:
                self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(found or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
