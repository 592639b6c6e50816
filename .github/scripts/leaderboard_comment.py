"""Comments on the pull request that a finished run of leaderboard-check was about.

Which request that is comes from GitHub alone. What the run left is read as a text of limited
size, and is shown only where the request changes submissions and nothing else: otherwise it may
have changed the workflow that wrote the text. Uses `gh`, and the variables that the workflow
leaderboard-comment sets.
"""

import io
import json
import os
import subprocess
import sys
import unicodedata
import zipfile
from typing import Any

SUBMISSIONS = "leaderboard/submissions/"
ARTEFACT, MEMBER = "comment", "comment.md"
MAX_ARCHIVE, MAX_TEXT = 100_000, 60_000
"""Bytes. GitHub refuses comments of more than 65,536 characters."""
MAX_FILES = 300
"""How many changed files GitHub lists of a comparison; of more, it does not say all."""
MARK = "<!-- leaderboard -->\n"
"""Tells this comment from others, so that there is one on a request."""


def main() -> None:
    number = request_number()
    if number is None:
        return
    text = MARK + comment()
    path = own_comment(number)
    if path:
        gh("--method", "PATCH", path, "--input", "-", given={"body": text})
    else:
        gh("--method", "POST", comments_of(number), "--input", "-", given={"body": text})


def comment() -> str:
    log = f"The log: {os.environ['RUN_URL']}"
    if not changes_submissions_only():
        return (
            f"This request changes more than `{SUBMISSIONS}`, so no results are shown here. {log}"
        )
    return artefact() or f"The check did not come to an end. {log}"


def request_number() -> int | None:
    """The open request whose branch stands at the commit that was checked."""
    head = f"{os.environ['HEAD_OWNER']}:{os.environ['HEAD_BRANCH']}"
    found = json.loads(
        gh("--method", "GET", repository("pulls"), "-f", "state=open", "-f", f"head={head}")
    )
    numbers = [each["number"] for each in found if each["head"]["sha"] == os.environ["HEAD_SHA"]]
    return int(numbers[0]) if numbers else None


def changes_submissions_only() -> bool:
    """Whether the commit that was checked differs from the base in submissions alone."""
    between = f"{os.environ['BASE']}...{os.environ['HEAD_SHA']}"
    files = json.loads(gh(repository(f"compare/{between}")))["files"]
    names = [
        each[key] for each in files for key in ("filename", "previous_filename") if key in each
    ]
    return len(files) < MAX_FILES and all(name.startswith(SUBMISSIONS) for name in names)


def artefact() -> str | None:
    """The text that the run left; None where it is missing, too large, or no text."""
    found = json.loads(gh(repository(f"actions/runs/{os.environ['RUN_ID']}/artifacts")))
    for each in found["artifacts"]:
        if each["name"] == ARTEFACT and each["size_in_bytes"] <= MAX_ARCHIVE:
            return read_text(gh(repository(f"actions/artifacts/{int(each['id'])}/zip")))
    return None


def read_text(archive: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened, opened.open(MEMBER) as member:
            content = member.read(MAX_TEXT + 1)
        text = content.decode()
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, ValueError):
        return None
    controls = any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text)
    return None if controls or len(content) > MAX_TEXT or not text.strip() else text


def own_comment(number: int) -> str | None:
    """The path of the comment that an earlier run made."""
    own = f'.user.login == "github-actions[bot]" and (.body | startswith("{MARK.strip()}"))'
    ids = gh("--paginate", comments_of(number), "--jq", f".[] | select({own}) | .id").split()
    return repository(f"issues/comments/{int(ids[0])}") if ids else None


def comments_of(number: int) -> str:
    return repository(f"issues/{number}/comments")


def repository(path: str) -> str:
    return f"repos/{os.environ['REPOSITORY']}/{path}"


def gh(*arguments: str, given: Any = None) -> bytes:
    """What GitHub answers; the job ends where it refuses."""
    command = ["gh", "api", *arguments]
    sent = None if given is None else json.dumps(given).encode()
    done = subprocess.run(command, input=sent, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"gh api failed for {arguments}")
    return done.stdout


if __name__ == "__main__":
    main()
