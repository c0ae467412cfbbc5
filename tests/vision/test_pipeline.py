"""From frames to tracks: blocks that walk, whose places and colours are known, and real people."""

import gc
import math
import weakref

import numpy as np
import pytest
from camera_networks import FOLDER, NEEDS_NETWORKS
from street_of_people import NEEDS_PEOPLE, people, placed

from deepcity.city.errors import CameraError
from deepcity.vision.calibration.calibration import Calibration
from deepcity.vision.calibration.camera_view import PinholeView
from deepcity.vision.detection import PersonDetector
from deepcity.vision.embedding import PersonEmbedder
from deepcity.vision.frames.frame import CameraFrame
from deepcity.vision.models.catalogue import DETECTOR, EMBEDDER, camera_network
from deepcity.vision.models.model_folder import located
from deepcity.vision.models.runtime import RunningNetwork
from deepcity.vision.pipeline import Pipeline, PipelineRules, tracks_of

BLUE, RED = (200, 40, 40), (40, 40, 200)
CAMERA_M = 3.0
VIEW = PinholeView(
    (400.0, 400.0), (160.0, 120.0), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    np.array([0.0, 0.0, CAMERA_M]),
)  # fmt: skip


class Blocks:
    """Finds blocks by their colour, of which one person each is made."""

    def find(self, image_HWC):
        boxes = []
        for colour in (BLUE, RED):
            rows, columns = np.nonzero((image_HWC == colour).all(axis=2))
            if len(rows):
                boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        return np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), 0.9)


class Still:
    """Somebody who never moves."""

    def find(self, image_HWC):
        return np.array([[100.0, 100, 130, 190]]), np.full(1, 0.9)


class MeanColour:
    """An embedding of three numbers; it remembers how many crops it saw at once."""

    def __init__(self):
        self.batches = []

    def embed(self, crops):
        self.batches.append(len(crops))
        mean_B3 = np.array([crop.reshape(-1, 3).mean(axis=0) for crop in crops])
        return mean_B3 / np.linalg.norm(mean_B3, axis=1, keepdims=True)


def street(number, blocks, time_s=None, camera="gate"):
    """A frame with blocks: colour, left, top, height."""
    image = np.full((240, 320, 3), 120, np.uint8)
    for colour, left, top, height in blocks:
        image[top : top + height, left : left + height // 3] = colour
    return CameraFrame(camera, number / 10 if time_s is None else time_s, image)


def walk(frames=30, start=40, colour=BLUE, step=3):
    return [street(n, [(colour, start + step * n, 100, 90)]) for n in range(frames)]


def test_who_walks_through_becomes_one_track_with_colours_and_embedding():
    embedder = MeanColour()
    [one] = tracks_of(walk(), Pipeline("gate", Blocks(), embedder))
    assert (one.track.camera, one.track.number) == ("gate", 0)
    np.testing.assert_allclose(one.track.time_s_T, np.arange(30) / 10)
    np.testing.assert_allclose(one.track.box_T4[0], [40, 100, 70, 190])
    assert (one.appearance.upper.colour, one.appearance.lower.colour) == ("blue", "blue")
    wanted = np.array(BLUE) / np.linalg.norm(BLUE)
    np.testing.assert_allclose(one.track.embedding_E, wanted, atol=0.03)
    assert sum(embedder.batches) == 6  # every half second, from the third sighting on
    assert math.isnan(one.height_m)
    assert len(one.track.ground_T2) == 0


def test_crops_of_one_frame_are_embedded_together():
    both = [street(n, [(BLUE, 40, 100, 90), (RED, 200, 80, 120)]) for n in range(5)]
    embedder = MeanColour()
    found = list(tracks_of(both, Pipeline("gate", Blocks(), embedder)))
    assert embedder.batches == [2]
    assert {one.appearance.upper.colour for one in found} == {"blue", "red"}


def test_a_calibrated_camera_gives_metres_and_heights():
    distance_m = 12.0
    foot = 120 + 400 * CAMERA_M / distance_m
    head = 120 + 400 * (CAMERA_M - 1.75) / distance_m
    frames = [street(n, [(BLUE, 150, round(head), round(foot - head))]) for n in range(10)]
    [one] = tracks_of(frames, Pipeline("gate", Blocks(), calibration=Calibration(VIEW, (320, 240))))
    np.testing.assert_allclose(one.track.ground_T2[:, 1], distance_m, atol=0.2)
    assert one.height_m == pytest.approx(1.75, abs=0.08)
    assert len(one.track.embedding_E) == 0


def test_a_calibration_holds_for_pictures_of_another_size_and_not_of_another_shape():
    frames = [street(n, [(BLUE, 150, 140, 60)]) for n in range(5)]
    calibrations = [Calibration(VIEW, (320, 240)), Calibration(_twice(), (640, 480))]
    one, other = (
        next(tracks_of(frames, Pipeline("gate", Blocks(), calibration=some)))
        for some in calibrations
    )
    np.testing.assert_allclose(one.track.ground_T2, other.track.ground_T2)
    assert one.height_m == pytest.approx(other.height_m)
    wide = Pipeline("gate", Blocks(), calibration=Calibration(VIEW, (640, 360)))
    with pytest.raises(CameraError, match="320 x 240 are of another shape than the 640 x 360"):
        wide.see(frames[0])


def _twice():
    return PinholeView((800.0, 800.0), (320.0, 240.0), VIEW.rotation_33, VIEW.place_3)


def test_a_box_cut_by_the_edge_shows_no_height():
    frames = [street(n, [(BLUE, 150, 200, 40)]) for n in range(10)]
    [one] = tracks_of(frames, Pipeline("gate", Blocks(), calibration=Calibration(VIEW, (320, 240))))
    assert math.isnan(one.height_m)
    assert one.appearance is not None


def test_tracks_come_once_their_person_is_gone_and_mistakes_never():
    pipeline = Pipeline("gate", Blocks())
    empty = [street(n, []) for n in range(30, 60)]
    flash = street(60, [(RED, 10, 10, 60)])
    ended = [(frame.time_s, pipeline.see(frame)) for frame in [*walk(), *empty, flash]]
    [(at_s, [one])] = [(time_s, some) for time_s, some in ended if some]
    assert 3.9 <= at_s <= 4.1
    assert one.track.last_s == 2.9
    assert pipeline.end() == []


def test_who_stays_for_hours_takes_bounded_memory_and_gets_a_number_every_while():
    rules = PipelineRules(longest_s=60.0)
    pipeline = Pipeline("gate", Still(), rules=rules, first_number=7)
    frame = street(0, [])
    found = []
    for n in range(2_000):
        found += pipeline.see(CameraFrame("gate", n * 0.5, frame.image_HWC))
        assert pipeline.in_view == 1
    found += pipeline.end()
    assert [one.track.number for one in found] == list(range(7, 7 + 17))
    assert max(len(one.track.time_s_T) for one in found) <= 121
    assert sum(len(one.track.time_s_T) for one in found) == 2_000


def test_no_picture_outlives_its_turn():
    pipeline, living = Pipeline("gate", Blocks(), MeanColour()), []

    def frames():
        for n in range(20):
            held = [street(n, [(BLUE, 40 + 3 * n, 100, 90)])]
            living.append(weakref.ref(held[0].image_HWC))
            assert sum(one() is not None for one in living) == 1
            yield held.pop()
            gc.collect()

    [one] = tracks_of(frames(), pipeline)
    gc.collect()
    assert all(one() is None for one in living)
    assert one.track.box_T4.base is None or one.track.box_T4.nbytes < 2_000


def test_where_frames_break_off_open_tracks_are_given_first():
    def broken():
        yield from walk(10)
        raise OSError("the cable")

    found = tracks_of(broken(), Pipeline("gate", Blocks()))
    assert len(next(found).track.time_s_T) == 10
    with pytest.raises(OSError, match="the cable"):
        next(found)


def test_frames_of_another_camera_or_an_earlier_time_are_refused():
    pipeline = Pipeline("gate", Blocks())
    pipeline.see(street(1, []))
    with pytest.raises(ValueError, match="'square'; this one is 'gate'"):
        pipeline.see(street(2, [], camera="square"))
    with pytest.raises(ValueError, match="sort frames"):
        pipeline.see(street(1, []))
    with pytest.raises(CameraError, match="give pictures of one size"):
        pipeline.see(CameraFrame("gate", 5.0, np.zeros((120, 160, 3), np.uint8)))
    with pytest.raises(ValueError, match="1 or more"):
        PipelineRules(least_seen=0)


@NEEDS_NETWORKS
@NEEDS_PEOPLE
@pytest.mark.real
def test_real_people_who_walk_become_a_track_each_that_is_recognised():
    """Four people cross a street at 5 frames a second; other pictures of them find their tracks."""
    pytest.importorskip("openvino")
    pytest.importorskip("cv2")
    crops = people(4, each=6)
    detector = PersonDetector(RunningNetwork(located(camera_network(DETECTOR), FOLDER)))
    network = RunningNetwork(located(camera_network(EMBEDDER), FOLDER), batches=True)
    embedder = PersonEmbedder(network)
    frames = []
    for n in range(15):
        left_N = [200.0 + 350 * who + 12 * n for who in range(4)]
        box_N4 = np.array(
            [[left, 250 + 20 * who, left + 170, 700] for who, left in enumerate(left_N)]
        )
        frames.append(CameraFrame("gate", n / 5, placed([some[:3] for some in crops], box_N4, n)))
    found = list(tracks_of(frames, Pipeline("gate", detector, embedder)))
    assert len(found) == 4
    found.sort(key=lambda one: one.track.box_T4[0, 0])
    assert min(len(one.track.time_s_T) for one in found) >= 12
    track_4E = np.array([one.track.embedding_E for one in found])
    other_4E = np.array([embedder.embed(some[3:]).mean(axis=0) for some in crops])
    assert (np.argmax(other_4E @ track_4E.T, axis=1) == np.arange(4)).all()
