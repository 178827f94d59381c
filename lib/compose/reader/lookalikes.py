"""Files that look like a compose file, for a commit that has none where it is looked for."""

import os
import re

NAME = re.compile(r"(docker-|podman-)?compose([._-][A-Za-z0-9._-]*)?\.ya?ml\Z", re.IGNORECASE)
MAX_DEPTH, MAX_ENTRIES = 3, 5000


def lookalikes(root):
    """Their paths in the commit, those near its top first."""
    found, waiting, left = [], [("", 0)], MAX_ENTRIES
    while waiting and left > 0:
        directory, depth = waiting.pop(0)
        try:
            with os.scandir(os.path.join(root, directory)) as entries:
                here = sorted((entry.name, entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False))
                              for entry in bounded(entries, left))
        except OSError:
            continue
        left -= len(here) + 1
        for name, is_directory, is_file in here:
            if is_file and NAME.match(name):
                found.append(directory + name)
            elif is_directory and depth < MAX_DEPTH and name != ".git":
                waiting.append((f"{directory}{name}/", depth + 1))
    return found


def bounded(entries, most):
    for number, entry in enumerate(entries):
        if number >= most:
            return
        yield entry
