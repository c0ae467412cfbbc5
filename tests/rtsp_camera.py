"""A camera that speaks RTSP (RFC 2326): JPEG by RTP (RFC 2435), within its own connection."""

import contextlib
import socket
import struct
import threading
import time

from camera_pictures import HEIGHT, WIDTH, picture

from deepcity.vision.opencv import encoded

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\nc=IN IP4 0.0.0.0\r\na=control:video\r\n"
)


@contextlib.contextmanager
def rtsp_camera(frames, pause_s=0.02):
    """Its address; it sends so many pictures to whoever plays it, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, frames, pause_s), daemon=True)
        thread.start()
        yield f"rtsp://127.0.0.1:{server.getsockname()[1]}/live"
    thread.join(5)


def _serve(server, frames, pause_s):
    with contextlib.suppress(OSError):
        client, _ = server.accept()
        with client, client.makefile("rb") as asked:
            while (verb := _answer(client, asked)) not in ("PLAY", ""):
                pass
            for number in range(frames if verb else 0):
                _send(client, number)
                time.sleep(pause_s)


def _answer(client, asked):
    """Read a request, answer it; its verb."""
    verb = asked.readline().decode().partition(" ")[0]
    heads = {}
    while line := asked.readline().decode().strip():
        name, _, value = line.partition(":")
        heads[name.lower()] = value.strip()
    own = {
        "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
        "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n",
        "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 7\r\n",
        "PLAY": "Session: 7\r\nRange: npt=0-\r\n",
    }.get(verb, "")
    body = _SDP if verb == "DESCRIBE" else ""
    client.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {heads.get('cseq', 0)}\r\n{own}\r\n{body}".encode())
    return verb


def _send(client, number):
    """One picture in one packet."""
    tables, scan = _parts(encoded(picture(number), ".jpg"))
    jpeg = struct.pack(">BBHBBBB", 0, 0, 0, 1, 255, WIDTH // 8, HEIGHT // 8)
    jpeg += struct.pack(">BBH", 0, 0, len(tables)) + tables + scan
    head = struct.pack(">BBHII", 0x80, 0x80 | 26, number & 0xFFFF, number * 3600, 5)
    client.sendall(b"$\x00" + struct.pack(">H", len(head + jpeg)) + head + jpeg)


def _parts(data):
    """Quantisation tables and scan of a JPEG of standard Huffman tables, 4:2:0."""
    tables, at = b"", 2
    while True:
        marker, size = struct.unpack(">HH", data[at : at + 4])
        if marker == 0xFFDB:
            for begin in range(at + 4, at + 2 + size, 65):
                tables += data[begin + 1 : begin + 65]
        at += 2 + size
        if marker == 0xFFDA:
            return tables, data[at:].removesuffix(b"\xff\xd9")
