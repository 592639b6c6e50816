"""What the names in a result mean, in one sentence each."""

from typing import Final

FIELDS: Final = {
    "gytbench": "version of the protocol; a change that can change a score changes it",
    "task": "what was scored: st, the untrimmed video; spatial, the pointing game in a given "
    "instance; temporal, when each action happens",
    "data": "the annotation files, apart from the boxes; local@ and 8 digits stand for files "
    "that are not the released ones",
    "boxes": "the box release, and the first 8 hex digits of the SHA-256 of its file",
    "classes": "mining512: the 512 classes of the dictionary; step: the raw step names",
    "subset": "all instances, or those of 3 to 20 seconds (3to20)",
    "point": "cell-first: a heatmap points at the centre of its first maximal cell",
    "tolerance": "pixels of the annotation frame that the pointing game forgives",
    "region": "share of a heatmap's maximum that its region reaches",
    "overlap": "IoU from which a region is right",
    "tube": "volumetric: tube IoU is the sum of intersections over the sum of unions",
    "match": "next-best: a tube whose best instance is taken may take the next best",
    "ap": "all-point: average precision is the area under the envelope over all points",
    "ties": "grouped: precision and recall are read at the end of each run of equal scores",
    "average": "how IoU and IoD are averaged: over the classes of each video (video-class), "
    "or as isba, frames-micro or videogem do",
    "time": "continuous: durations are measured; 25fps: frames are counted at that rate",
    "missing": "miss: what the file does not answer counts as missed",
}
"""Every field of a signature."""

CAUSES: Final = {
    "background": "near no instance of its class, and on none of another class",
    "wrong label": "right for an instance of another class",
    "wrong time": "near an instance of its class: the place is right, the time is not",
    "wrong place": "near an instance of its class: the time is right, the place is not",
    "time and place": "near an instance of its class in time, but neither time nor place is right",
    "duplicate": "right for an instance of its class that another tube takes",
    "missed": "an instance that no tube takes, and that no false tube was near",
}
"""Every cause of the diagnosis."""

PROPERTIES: Final = {
    "length": "How long the instance is",
    "box size": "How large its box is",
    "annotator spread": "How far apart the annotators' points are",
    "class frequency": "How many instances its class has",
    "position": "Where in the video it is",
}

NO_DIAGNOSIS: Final = {
    "st": "No diagnosis was made for this report.",
    "spatial": "There is no diagnosis for the task spatial: it is told the time and the class of "
    "each instance, so that only the place can be wrong. The diagnosis takes apart the tubes of "
    "the task st.",
    "temporal": "There is no diagnosis for the task temporal: it has no place, and no ranking of "
    "tubes. The diagnosis takes apart the tubes of the task st.",
}
"""Why a report has none, by task."""
