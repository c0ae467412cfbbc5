"""Cameras to tracks: what a camera saw, without pictures.

Frames are read, persons found, followed and described, and the frame is gone. What is kept is a
track (`deepcity.vision.track`): when and where somebody was in one camera's view, and an embedding
that never leaves the camera's owner.
"""
