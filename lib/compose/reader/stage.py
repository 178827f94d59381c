"""The commit's files. Only regular files beneath the stage are read, also through links, and only so many."""

import errno
import os
import stat

from .limits import MAX_BYTES, MAX_FILE, MAX_FILES
from .problems import Place, Problem, Refused


class Stage:
    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.read_files, self.known, self.bytes = [], {}, 0

    def name(self, path):
        """The path as the commit has it."""
        if path == self.root:
            return "."
        return path[len(self.root) + 1:] if beneath(path, self.root) else path

    def exists(self, path):
        real = os.path.realpath(path)
        return beneath(real, self.root) and os.path.exists(real)

    def read(self, path, asked):
        """The bytes of a file, or None where there is none. `asked` is the node that names it, for the sentence."""
        place, service, setting, value = asked
        def refuse(text, advice=""):
            raise Refused(Problem(place, service, setting, value, text, advice))

        real = os.path.realpath(path)
        if not beneath(real, self.root):
            said = f"{self.name(path)} is outside of the repository: it leads to {real}"
            if not beneath(path, self.root):  # where the commit lies on this host helps nobody
                said = f"{'is' if value else 'the file is'} outside of the repository"
            refuse(said, "move the file into the repository")
        if real not in self.known:
            if len(self.known) >= MAX_FILES:
                refuse(f"more than {MAX_FILES} files would be read")
            self.known[real] = self.opened(real, path, refuse)
        data = self.known[real]
        if data is None:
            return None
        self.bytes += len(data)  # each time: what is read again is parsed again
        if self.bytes > MAX_BYTES:
            refuse(f"the files hold more than {MAX_BYTES >> 20} MiB in all", "read smaller files, or in fewer services")
        name = self.name(path)
        if name not in self.read_files:
            self.read_files.append(name)
        return data

    def opened(self, real, path, refuse):
        try:
            if os.path.exists(real) and not os.path.isfile(real):
                refuse(f"{self.name(path)} is not a file", "name a file of the repository")
            # Not blocking: a named pipe has no writer.
            with open(os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    refuse(f"{self.name(path)} is not a file")
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            refuse(f"{self.name(path)} cannot be read ({os.strerror(error.errno or 0)})")
        except ValueError:  # a NUL in the name
            return None
        if len(data) > MAX_FILE:
            refuse(f"{self.name(path)} is larger than {MAX_FILE >> 10} KiB")
        return data


def beneath(path, directory):
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def joined(directory, path, home):
    """A path of a compose file as an absolute one, without asking the file system."""
    if path == "~" or path.startswith("~/"):
        path = home + path[1:]
    return clean(os.path.join(directory, path))


def clean(path):
    """Without dots and doubled slashes, also at its start, where Python leaves two of them."""
    path = os.path.normpath(path)
    return path[1:] if path.startswith("//") else path


def asked_by_file(path):
    return Place(path, 0), "", "", ""
