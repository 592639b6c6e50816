"""Hand-written inputs for the page: all parts, and names that are markup."""

from dataclasses import replace

import numpy as np

from gytbench.diagnosis.model import (
    CAUSES,
    Bin,
    Calibration,
    Cause,
    Diagnosis,
    Factors,
    TauSweep,
)
from gytbench.evaluation import Result
from gytbench.evaluation.result import Interval, Intervals
from gytbench.report.html import GalleryItem, ReportInputs, Span, VideoView

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=document.title="owned">'
CLOSING = "</script><!--<script>"

SIGNATURE = (
    "gytbench:1.0|task:st|data:groundingyoutube|boxes:published@d0c54512|classes:mining512"
    "|subset:all|point:cell-first|region:0.5|tube:volumetric|match:next-best|ap:all-point"
    "|ties:grouped|missing:miss"
)


def result(videos: int = 120, score: float = 0.4) -> Result:
    """A result with classes whose order is not that of their names."""
    per_class = {
        f"class_{number}": {"instances": number % 7, "iou_point": (number * 37 % 100) / 100}
        for number in range(60)
    }
    per_class["cut_bread"] = {"instances": 3, "iou_point": None}
    per_video = {
        f"video{number:03}": {"instances": number, "iou_point": number % 10 / 10, "tubes": 1200}
        for number in range(videos)
    }
    metrics = {"iou_point": score, "label_iou": score / 2, "video_map@0.5": None}
    return Result(
        signature=SIGNATURE,
        task="st",
        metrics=metrics,
        counts={"videos": videos, "instances": 5091},
        missing={"videos": 2},
        per_class=per_class,
        per_video=per_video,
        notes=("the file has no boxes",),
    )


def diagnosis() -> Diagnosis:
    """A diagnosis with all parts, bins with few instances and NaN among them."""
    nan = float("nan")
    bins = (
        Bin("1 to 2 s", 1200, 0.42, 0.31, 0.2),
        Bin("2 to 4 s", 1800, 0.61, 0.5, 0.33),
        Bin("more than 4 s, which is long", 7, 1.0, 0.857, nan),
    )
    names = ("length", "box size", "annotator spread", "class frequency", "position")
    tau = np.linspace(0, 1, 21)
    return Diagnosis(
        threshold=0.3,
        video_map=0.1234,
        tubes=5000,
        right=812,
        instances=4541,
        causes=tuple(Cause(name, 900 - 111 * n, 0.01 * n) for n, name in enumerate(CAUSES)),
        factors=Factors(0.62, 0.41, 0.7, 0.0977),
        sensitivity=dict.fromkeys(names, bins),
        calibration=tuple(
            Calibration(n / 10, (n + 1) / 10, 10 * n, n / 10 + 0.05 if n else nan, 0.07 * n)
            for n in range(10)
        ),
        tau=TauSweep(tau, 0.1 + 0.2 * tau * (1 - tau), 0.3 - 0.2 * tau, np.arange(5000, 0, -239)),
    )


def view() -> VideoView:
    """A video with overlapping truth and a frame of every kind."""
    svg = '<svg viewBox="0 0 64 48"><rect width="64" height="48" fill="#567"/></svg>'
    kinds = ("typical", "worst", "best")
    return VideoView(
        duration=180,
        truth=tuple(Span(8 * n, 8 * n + 6 + n % 3, f"class_{n % 10}") for n in range(22)),
        predicted=tuple(Span(9 * n, 9 * n + 9, f"class_{n % 12}", 1 / (n + 1)) for n in range(20)),
        ignored=((30, 41.5),),
        counts={"seconds_covered": 120, "seconds_predicted": 1800},
        gallery=tuple(GalleryItem(f"second {n}", svg, kinds[n % 3], "hit") for n in range(6)),
    )


def inputs() -> ReportInputs:
    """A whole report."""
    around = {"iou_point": Interval(0.36, 0.43, 0.41, 1000), "video_map@0.5": None}
    found = replace(result(), intervals=Intervals(120, 1000, 0, around))
    return ReportInputs(
        title="predictions.json",
        result=found,
        references={
            "uniform-segments": result(score=0.05),
            "oracle-time": result(score=0.55),
            "annotators": "needs a file that is not there",
            "oracle-instance": result(score=0.99),
        },
        diagnosis=diagnosis(),
        videos={name: view() for name in list(found.per_video)[:40]},
        gallery=tuple(
            item._replace(video=name, second=number)
            for number, (name, item) in enumerate(
                zip(found.per_video, view().gallery, strict=False)
            )
        ),
    )


def hostile() -> ReportInputs:
    """Markup in every text that a file can bring."""
    whole = inputs()
    scores = {"instances": 1, "iou_point": 0.5}
    evil = f"<svg><script>alert(2)</script><text>{CLOSING}</text></svg>"
    seen = VideoView(
        duration=10,
        truth=(Span(0, 9, IMAGE), Span(2, 3, CLOSING)),
        predicted=(Span(0, 9, SCRIPT, 0.5),),
        counts={SCRIPT: 3},
        gallery=(GalleryItem(IMAGE, evil, "best", SCRIPT),),
    )
    return replace(
        whole,
        title=SCRIPT + CLOSING,
        result=replace(
            whole.result,
            signature=whole.result.signature + f"|data:{IMAGE}",
            per_class={IMAGE: scores, SCRIPT: scores, CLOSING: scores},
            per_video={SCRIPT: scores, IMAGE: scores},
            notes=(SCRIPT, IMAGE),
        ),
        references={SCRIPT: whole.result, IMAGE: CLOSING},
        videos={SCRIPT: seen},
        gallery=(GalleryItem(IMAGE, evil, "worst", CLOSING, SCRIPT, 3),),
    )
