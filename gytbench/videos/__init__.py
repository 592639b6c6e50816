"""Frames of a video, by second or at any times: from a video file or a folder of images."""

from gytbench.videos.content import content_hash
from gytbench.videos.opening import frames_at, listed_videos, open_frames, videos_by_id
from gytbench.videos.sources import EncodedImage, FrameSource

__all__ = [
    "EncodedImage",
    "FrameSource",
    "content_hash",
    "frames_at",
    "listed_videos",
    "open_frames",
    "videos_by_id",
]
