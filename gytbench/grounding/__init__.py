"""Finding an ordered transcript's segments in a video, given scores of its frames."""
