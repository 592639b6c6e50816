"""Which error costs what, and where a system is weak: the task `st` taken apart.

After TIDE (Bolya et al., ECCV 2020) and DETAD (Alwassel et al., ECCV 2018), for
tubes: every false tube and every instance that no tube found has one cause, and
each cause tells what mending it alone would gain.
"""

from gytbench.diagnosis.diagnose import THRESHOLD, diagnose
from gytbench.diagnosis.model import CAUSES, Bin, Calibration, Cause, Diagnosis, Factors, TauSweep

__all__ = [
    "CAUSES",
    "THRESHOLD",
    "Bin",
    "Calibration",
    "Cause",
    "Diagnosis",
    "Factors",
    "TauSweep",
    "diagnose",
]
