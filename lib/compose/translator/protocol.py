# The translator: asks the installed podman-compose what it makes of one commit. pgod-work starts it once per plan, as
# the service's user: `python3 -I -B - RESULT STAGE FILE PROJECT ASKED [NAME…]`, with these files, one after the other,
# on standard input (translation.cpp; the order is CMakeLists.txt's).
#
#   RESULT   descriptor of the file that gets the answer
#   STAGE    absolute path, without links: where the commit was exported
#   FILE     the compose file, relative to STAGE
#   PROJECT  podman-compose's -p
#   ASKED    {"files": [PATH…], "profiles": [NAME…], "secrets": [NAME…]} as the admin sets them; no files: those that
#            Compose looks for; secrets: of those that he gives in files. With "show": true, podman-compose is not needed, and the answer is what `pgod-work --read` prints
#   NAME…    the admin's variables, which are in the environment and win over the repository's .env
#
# The answer is two lines of UTF-8, each a JSON object. The first is written before anything of the commit is read, so that
# it stands there even when the second never comes; the second has at most MAX_RESULT bytes:
#   {"version": TEXT}                                    podman-compose's; empty when it cannot be loaded
#   {"calls": [[WORD…]…], "model", "files", "notes", "places", "written", "reasons"}   translated
#   or {"reasons", "notes", "trace"?}                                       the commit is at fault
#   or {"shown": TEXT, "said": [SENTENCE…]}                                 with "show"; no TEXT: there is no model
#   or {"problem": one sentence, "host"?: true, "trace"?}                   the host is, or nobody can say more
#
# A reason is an object of texts: "place" (FILE:LINE), "service", "setting", "value" (as the file has it), "problem",
# "advice", and "kind": "wrong", "unknown" (a key), or "refused" (no grant permits it). Translated, too, a commit can have
# reasons of that last kind. A place is a list: service, setting, item, FILE:LINE, value (core/places.hpp).
#
# Nothing is run and nothing is written: podman-compose's own functions are called one by one, with a stand-in for its
# class Podman, and an audit hook refuses the rest (sandbox.py). Limits on memory, CPU time, processes and files are
# the caller's.
import sys

result_fd, stage, compose_file, project, asked = int(sys.argv[1]), *sys.argv[2:6]
admin_names = set(sys.argv[6:])

import copy, functools, inspect, ipaddress, json, logging, math, os, re, shlex, signal, stat, subprocess, sysconfig, traceback
import pgod_reader.command as reader
from pgod_reader.drivers import described
from pgod_reader.output import compared
from pgod_reader.forms_services import REMOTE
from pgod_reader.limits import MAX_STOP_GRACE

asked = json.loads(asked)
admin_secrets = set(asked["secrets"]) - admin_names
MAX_RESULT, MAX_CALLS, MAX_CONTAINERS, MAX_TEXT = (8 << 20) - 4096, 1000, 100, 300
MAX_NOTES, MAX_URLS, MAX_REASONS, MAX_PLACES = 100, 64, 500, 20000


class Refused(Exception):
    """The commit asks for something that reading it may not do, or for too much."""


class Wrong(Exception):
    """The commit is wrong in one setting. No other exception's text reaches a person."""

    def __init__(self, service, setting, text, advice="", value=""):
        super().__init__(text)
        self.reason = {"place": place_of(service, setting), "service": service, "setting": setting, "value": value,
                       "problem": text, "advice": advice, "kind": "wrong"}


class Unfamiliar(Exception):
    """This podman-compose works otherwise than pgod knows."""


notes, reasons = [], []
places, values = {}, {}  # path of a setting in the model → FILE:LINE, or its text in the file, in quotes


def place_of(service, setting):
    """The line of a setting, or of what holds it."""
    path = f"services.{service}.{setting}" if service else setting
    while path and path not in places:
        path = path.rpartition(".")[0]
    return places.get(path, compose_file)


class Gathering:
    """Keeps what is wrong with one setting, and goes on with the next one. `of` is where, if the error does not say."""

    def __init__(self, *of):
        self.of = of

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Wrong):
            if self.of and not error.reason["service"]:
                error = Wrong(*self.of, *error.args, error.reason["advice"], error.reason["value"])
            refuse(error.reason)
            return True
        return False


def refuse(reason):
    if len(reasons) < MAX_REASONS and reason not in reasons:
        reasons.append({name: text[:MAX_TEXT] for name, text in reason.items()})


def note(sentence):
    if sentence not in notes and len(notes) < MAX_NOTES:
        notes.append(sentence)
