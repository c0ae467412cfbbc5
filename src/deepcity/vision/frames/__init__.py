"""Frames of a camera: from folders of pictures, video files and streams, one at a time."""
