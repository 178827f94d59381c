"""The reader as a program: a request in, an answer out, both plain data.

`python3 -m reader DIRECTORY [PROJECT]` shows a person what the files of a directory become.
"""

import json
import os
import sys

from .output import compared
from .problems import printable, sentences
from .reading import Asked, read

UNKNOWN = ("is not a key that Compose knows", "this is not a key of the top of a compose file")
KNOWN = ("HOME", "USER", "LOGNAME", "PATH", "XDG_RUNTIME_DIR", "LANG")  # what the files may read of the environment


def answer(request):
    """`request` has the fields of Asked. The answer has a model, or problems."""
    asked = Asked(**{name: tuple(value) if isinstance(value, list) else value for name, value in request.items()})
    got = read(asked)
    return {"model": got.model, "problems": sentences(got.problems), "refusals": sentences(got.refusals),
            "reasons": [reason_of(one, "refused") for one in got.refusals] + [reason_of(one) for one in got.problems],
            "notes": sentences(got.notes), "files": got.files, "places": got.places, "written": got.written,
            "values": got.values, "fault": got.fault}


def reason_of(problem, kind=""):
    """A problem in its parts. The caller groups them."""
    kind = kind or ("unknown" if problem.text.endswith(UNKNOWN) else "wrong")
    return {"place": str(problem.place), "service": problem.service,
            "setting": problem.setting, "value": problem.value, "problem": printable(problem.text),
            "advice": printable(problem.advice), "kind": kind}


def main(words):
    directory = os.path.realpath(words[1] if len(words) > 1 else ".")
    home = os.environ.get("HOME", "/")
    environment = {name: os.environ[name] for name in KNOWN if name in os.environ}
    got = answer({"root": directory, "project": words[2] if len(words) > 2 else os.path.basename(directory),
                  "environment": environment, "home": home})
    for text in got["problems"] + got["refusals"] + got["notes"]:
        print(text, file=sys.stderr)
    if got["model"] is None:
        return 1
    print(json.dumps(compared(got["model"], directory, home), indent=1, sort_keys=True, ensure_ascii=False))
    return 0
