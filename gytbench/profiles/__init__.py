"""Other evaluators' conventions, applied to the same predictions (docs/profiles.md).

Source: the public evaluation code of each project, as docs/profiles.md names it.
"""

from gytbench.profiles.catalogue import PROFILES, find_profile, profiles_of
from gytbench.profiles.conventions import Profile
from gytbench.profiles.scoring import score_profile, score_profiles
from gytbench.profiles.signature import parse_profile_signature

__all__ = [
    "PROFILES",
    "Profile",
    "find_profile",
    "parse_profile_signature",
    "profiles_of",
    "score_profile",
    "score_profiles",
]
