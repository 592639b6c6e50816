"""Frames of a video, by second: from a video file or from a folder of images."""

from gytbench.videos.opening import frames_at, listed_videos, open_frames
from gytbench.videos.sources import EncodedImage, FrameSource

__all__ = ["EncodedImage", "FrameSource", "frames_at", "listed_videos", "open_frames"]
