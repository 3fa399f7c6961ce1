"""A web server on this machine that serves bytes, well or badly, as a test wants it."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebServer:
    """Files by path, and what goes wrong with them.

    Attributes
    ----------
    files : dict of str to bytes
        By path. They may be changed at any time.
    trouble : callable
        Called with each request before it is answered, ``request.number`` counting from 0; it may
        answer by itself and return True.
    tags, ranges : bool
        Whether there are ETags, and whether ranges are heeded.
    requests : list of (str, str or None)
        Path and range of each request.
    """

    def __init__(self, address):
        self.url = f"http://127.0.0.1:{address[1]}"
        self.files = {}
        self.tags = True
        self.ranges = True
        self.trouble = lambda _: False
        self.requests = []
        self.turn = threading.Lock()
        self.gate = threading.Event()
        self.busy = self.busiest = 0


@contextmanager
def serve():
    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            with web.turn:
                web.requests.append((self.path, self.headers.get("Range")))
                self.number = len(web.requests) - 1
                web.busy += 1
                web.busiest = max(web.busiest, web.busy)
            try:
                if not web.trouble(self):
                    self.give()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with web.turn:
                    web.busy -= 1

        def give(self, cut=None, slow=0.0):
            """Answer as one should, break off after so many bytes, or pause in the middle."""
            path, _, _ = self.path.partition("?")
            content = web.files.get(path)
            if content is None:
                self.say(404)
                return
            if isinstance(content, str):
                self.listing(content)
                return
            start, end = 0, len(content)
            wanted = self.headers.get("Range") if web.ranges else None
            if wanted:
                first, last = wanted.removeprefix("bytes=").split("-")
                start, end = int(first), min(int(last) + 1, len(content))
                if start >= len(content):
                    self.say(416, {"Content-Range": f"bytes */{len(content)}"})
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
            else:
                self.send_response(200)
            if web.tags:
                self.send_header("ETag", f'"{hash(content):x}"')
            self.send_header("Content-Length", str(end - start))
            self.end_headers()
            body = content[start:end]
            if cut is not None:
                self.wfile.write(body[:cut])
                self.wfile.flush()
                self.close_connection = True
                return
            if slow:
                half = len(body) // 2
                self.wfile.write(body[:half])
                self.wfile.flush()
                time.sleep(slow)
                body = body[half:]
            self.wfile.write(body)

        def listing(self, content):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content.encode())

        def do_HEAD(self):
            content = web.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()

        def say(self, status, headers=()):
            self.send_response(status)
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def hang(self):
            web.gate.wait(60)
            self.close_connection = True

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64
        block_on_close = False

        def handle_error(self, *_):
            pass  # Clients that go away are what some tests are about.

    server = Server(("127.0.0.1", 0), Request)
    web = WebServer(server.server_address)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield web
    finally:
        web.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
