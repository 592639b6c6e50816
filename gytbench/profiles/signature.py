"""The signature of a result under a profile, and back."""

from gytbench.benchmark import Benchmark
from gytbench.benchmark.datasets import GROUNDINGYOUTUBE
from gytbench.errors import InputError
from gytbench.evaluation import Protocol
from gytbench.evaluation.protocol import VERSION
from gytbench.profiles.catalogue import find_profile
from gytbench.profiles.conventions import FramePrecision, Part, Profile


def check_protocol(profile: Profile, protocol: Protocol) -> None:
    """Raises `InputError` for a task that the profile does not apply to, and for an option
    in place of which the profile has a convention."""
    if protocol.task not in profile.parts:
        tasks = " and ".join(profile.parts)
        raise InputError(f"the profile {profile.name} is for the task {tasks}, not {protocol.task}")
    plain = Protocol(
        protocol.task,
        dataset=protocol.dataset,
        boxes=protocol.boxes,
        classes=protocol.classes,
        subset=protocol.subset,
        coordinates=protocol.coordinates,
    )
    if protocol != plain:
        raise InputError(
            "a profile has conventions of its own: leave out --heatmap-threshold, "
            "--tolerance, --average and --fps"
        )


def signature(profile: Profile, protocol: Protocol, benchmark: Benchmark) -> str:
    """The line that names the profile, the ground truth and every choice of its parts."""
    temporal = protocol.task == "temporal"
    named = {
        "gytbench": VERSION,
        "profile": profile.name,
        "task": protocol.task,
    }
    if protocol.dataset != GROUNDINGYOUTUBE.name:
        named["dataset"] = protocol.dataset
    named["data"] = benchmark.cues_data if temporal else benchmark.data
    named["classes"] = protocol.classes
    if not temporal:
        named["boxes"] = f"{benchmark.release}@{benchmark.release_sha256[:8]}"
        named["subset"] = protocol.subset
    if protocol.coordinates:
        named["coordinates"] = protocol.coordinates
    named |= _choices(profile, protocol)
    return "|".join(f"{name}:{value}" for name, value in named.items())


def parse_profile_signature(line: str) -> tuple[Profile, Protocol]:
    """The profile and the options that a signature names.

    Raises `InputError` where the line is no signature of a profile, or names a choice
    that the profile does not make.
    """
    named = dict(part.partition(":")[::2] for part in line.strip().split("|"))
    if named.get("gytbench") != VERSION or "profile" not in named:
        raise InputError(f"not a signature of a profile of protocol {VERSION}: {line[:200]!r}")
    profile = find_profile(named["profile"])
    task, optional = named.get("task", ""), ("dataset", "coordinates")
    choices = {name: named[name] for name in optional if name in named}
    try:
        choices["classes"] = named["classes"]
        if task != "temporal":
            choices |= {"boxes": named["boxes"].partition("@")[0], "subset": named["subset"]}
    except KeyError as error:
        raise InputError(f"the signature lacks the field {error}") from None
    protocol = Protocol(task, **choices)  # type: ignore[arg-type]
    check_protocol(profile, protocol)
    truth = ["gytbench", "profile", "task", "data", *choices]
    measured = _choices(profile, protocol)
    for name in dict.fromkeys((*named, *measured, *truth)):
        if name not in named or (name not in truth and named[name] != measured.get(name)):
            raise InputError(f"the signature's field {name!r} is not one that {profile.name} has")
    return profile, protocol


def metric_name(part: Part, protocol: Protocol) -> str:
    """The name of what a part measures: frames of trimmed clips have another."""
    if not isinstance(part, FramePrecision):
        return part.metric
    return f"{'spatial_map' if protocol.task == 'spatial' else part.metric}{part.suffix}"


def _choices(profile: Profile, protocol: Protocol) -> dict[str, str]:
    return {metric_name(part, protocol): part.text() for part in profile.parts[protocol.task]}
