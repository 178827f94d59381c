# The translator: asks the installed podman-compose what it makes of one commit. pgod-work starts it once per plan, as
# the service's user: `python3 -I -B - RESULT STAGE FILE PROJECT HOW [NAME…]`, with these files, one after the other, on
# standard input (translation.cpp; the order is CMakeLists.txt's).
#
#   RESULT   descriptor of the file that gets the answer
#   STAGE    absolute path, without links: where the commit was exported
#   FILE     the compose file, relative to STAGE
#   PROJECT  podman-compose's -p
#   HOW      "configured": the admin names FILE, and it stands alone; "usual": the files that Compose looks for are read
#   NAME…    the admin's variables, which are in the environment and win over the repository's .env; "secret:NAME" stands for
#            a secret that the admin gives in a file
#
# The answer is two lines of UTF-8, each a JSON object. The first is written before anything of the commit is read, so that
# it stands there even when the second never comes; the second has at most MAX_RESULT bytes:
#   {"version": TEXT}                                    podman-compose's; empty when it cannot be loaded
#   {"calls": [[WORD…]…], "model", "files", "notes"}     translated
#   or {"problem": one sentence, "problems", "trace"?}   the commit is at fault
#   or {"problem": one sentence, "host": true}           the host is
#
# Nothing is run and nothing is written: podman-compose's own functions are called one by one, with a stand-in for its
# class Podman, and an audit hook refuses the rest (sandbox.py). Limits on memory, CPU time, processes and files are
# the caller's.
import sys

result_fd, stage, compose_file, project, how = int(sys.argv[1]), *sys.argv[2:6]
admin_names = {name for name in sys.argv[6:] if not name.startswith("secret:")}
admin_secrets = {name.removeprefix("secret:") for name in sys.argv[6:]} - admin_names

import copy, functools, inspect, json, logging, math, os, shlex, stat, subprocess, sysconfig, traceback
import pgod_reader.command as reader
from pgod_reader.forms_services import REMOTE

MAX_RESULT, MAX_CALLS, MAX_CONTAINERS, MAX_TEXT = (8 << 20) - 4096, 1000, 100, 300
MAX_NESTED, MAX_NOTES, MAX_URLS, MAX_PROBLEMS = 5000, 20, 64, 20


class Refused(Exception):
    """The commit asks for something that reading it may not do, or for too much."""


class Unfamiliar(Exception):
    """This podman-compose works otherwise than pgod knows."""


notes = []


def note(sentence):
    if sentence not in notes and len(notes) < MAX_NOTES:
        notes.append(sentence)
