"""Frames a second from a camera's video to tracks, and where the time goes.

    python -m benchmarks.cameras

Needs ../shared/models and ../shared/data/persons. A video of 1920 x 1080 is made of a plain street
over which people walk: real crops of Market-1501, moved, another crop of the same camera every few
frames. It lies in a folder for the run alone and is deleted with it. Three seeds: other people.
Seconds are of the processor, and as of the machine; shares of one run can be compared.
"""
