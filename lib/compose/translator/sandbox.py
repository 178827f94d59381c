# The sandbox: podman-compose reads what a repository wrote, so an audit hook refuses every open outside of the stage and
# Python's own library, everything that writes, and every program.


class Tail:
    """Stands for stdout and stderr: keeps the end, because podman-compose prints every secret it meets."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text = (self.text + text)[-2000:]

    def flush(self):
        pass

    def isatty(self):
        return False


class Guard:
    """The audit hook's state. `first` outlives an `except:` that would hide a refusal."""

    DOING = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate",
             "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr", "os.kill", "os.putenv", "os.unsetenv",
             "os.system", "os.exec", "os.fork", "os.forkpty", "os.spawn", "os.posix_spawn", "os.startfile",
             "subprocess.", "pty.spawn", "ctypes.", "socket.", "shutil.", "tempfile.", "ftplib.", "http.", "urllib.",
             "webbrowser.", "signal.", "_thread.", "mmap.")

    def __init__(self, library):
        self.library, self.files, self.first = library, set(), None

    def refuse(self, sentence):
        self.first = self.first or sentence
        raise Refused(sentence)

    def opened(self, path, mode, flags):
        if isinstance(path, int):
            return
        path = os.fsdecode(path)
        real = os.path.realpath(path)
        if (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            self.refuse(f"{shown(path)} would be written while the file is read")
        inside = beneath(real, stage)
        if not inside and not any(beneath(real, directory) for directory in self.library):
            target = f" (it leads to {shown(real)})" if real != path else ""
            self.refuse(f"{shown(path)}{target} is outside the repository")
        if not inside:
            return
        try:
            regular = stat.S_ISREG(os.stat(real).st_mode)
        except OSError:
            return
        if not regular:
            self.refuse(f"{shown(path)} is no regular file")
        self.files.add(os.path.relpath(real, stage))

    def __call__(self, event, args):
        if event == "open":
            self.opened(*args)
        elif event.startswith(self.DOING):
            self.refuse(f"podman-compose does {event}, which reading a file does not need")


def beneath(path, directory):
    return path == directory or path.startswith(directory + "/")


def quoted(text):
    return f'"{text}"'


def shown(path):
    return path[len(stage) + 1:] if beneath(path, stage) and path != stage else path
