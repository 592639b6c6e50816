"""The report on one prediction file: a page of HTML that needs no network."""

from gytbench.report.html.inputs import (
    GalleryItem,
    ReportInputs,
    Span,
    VideoView,
)
from gytbench.report.html.page import render_report, write_report

__all__ = [
    "GalleryItem",
    "ReportInputs",
    "Span",
    "VideoView",
    "render_report",
    "write_report",
]
