"""Pictures of coloured blocks that walk, as folders, videos and streams: nobody is on them."""

import numpy as np
import pytest

pytest.importorskip("cv2")  # every test that draws pictures needs it

from deepcity.vision.opencv import encoded

HEIGHT, WIDTH = 120, 160


def picture(number, height=HEIGHT, width=WIDTH):
    """A grey street with a blue block, further right by two pixels in each."""
    image = np.full((height, width, 3), 90, np.uint8)
    left = (2 * number) % (width - 20)
    image[40:100, left : left + 20] = (200, 40, 40)
    return image


def write_folder(folder, names):
    """Pictures under these names."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        (folder / name).write_bytes(encoded(picture(number), f".{name.rpartition('.')[2]}"))
    return folder


def write_video(path, frames=50, rate=25.0, kind="MJPG"):
    """A video of so many pictures."""
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*kind), rate, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(picture(number))
    writer.release()
    return path


def mjpeg_stream(frames, pause_s=0.02, then_s=0.0):
    """A camera's answer by HTTP: pictures one after another, silence, and its end."""
    import time

    def answer(request):
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        for number in range(frames):
            data = encoded(picture(number), ".jpg")
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            request.wfile.write(head.encode() + data + b"\r\n")
            time.sleep(pause_s)
        time.sleep(then_s)

    return answer
