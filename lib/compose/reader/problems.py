"""The reader's sentences about the files: a problem refuses the commit, a note does not."""

from typing import NamedTuple

from .limits import MAX_EXPANDED, MAX_NOTES, MAX_PROBLEMS, MAX_SHOWN


VERBS = ("is ", "must ", "has ", "differs ", "names ", "stands ", "begins ", "needs ")  # they go on from the value or the setting


class Place(NamedTuple):
    file: str  # as the commit names it
    line: int  # from 1, or 0 for the whole file

    def __str__(self):
        if self.file == ".":
            return ""  # the commit as a whole
        return f"{self.file}:{self.line}" if self.line else self.file


class Problem(NamedTuple):
    """One sentence in its parts, so that the same reason of many services can become one line."""

    place: Place
    service: str  # or ""
    setting: str  # such as "ports" or "volumes.data.driver", or ""
    value: str  # as the file writes it, or ""
    text: str  # what is wrong, or what pgod does
    advice: str = ""

    def __str__(self):
        parts = [str(self.place), self.service, self.setting, self.value]
        start = ": ".join(part for part in parts if part)
        joint = " " if self.text.startswith(VERBS) and (self.setting or self.value) else ": " if start else ""
        return printable(f"{start}{joint}{self.text}; {self.advice}" if self.advice else f"{start}{joint}{self.text}")


class Refused(Exception):
    """Ends the reading of one setting, or of everything."""

    def __init__(self, problem):
        super().__init__(str(problem))
        self.problem = problem


class Report:
    """Gathers what one reading finds. A setting with a problem is left out, and the reading goes on for the next one."""

    def __init__(self):
        self.problems, self.refusals, self.notes = [], [], []
        self.left = MAX_EXPANDED
        self.unfilled = []  # those of variables that cannot be filled in: others may follow from them

    def problem(self, problem):
        add(self.problems, problem, MAX_PROBLEMS)

    def settled(self):
        """The problems without those that only follow from a variable that cannot be filled in."""
        if not self.unfilled:
            return self.problems
        lacking = {(one.service, one.setting.partition(".")[0]) for one in self.unfilled}
        used = {(one.place, one.text) for one in self.unfilled if not one.setting.startswith("x-")}
        return [one for one in self.problems if (not follows(one, lacking) if one not in self.unfilled else
                                                 not one.setting.startswith("x-") or (one.place, one.text) not in used)]

    def refusal(self, problem):
        """A setting that the reader understands and that pgod gives to nobody."""
        add(self.refusals, problem, MAX_PROBLEMS)

    def note(self, note):
        add(self.notes, note, MAX_NOTES)

    def spend(self, characters):
        """False: the texts with variables are longer than all files together may make them."""
        self.left -= characters
        return self.left >= 0

    def guard(self):
        return Guard(self)


class Guard:
    """Keeps a refusal as one problem, and lets the caller go on."""

    def __init__(self, report):
        self.report = report

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Refused):
            self.report.problem(error.problem)
            return True
        return False


def follows(problem, lacking):
    settings = (problem.setting.partition(".")[0],) if problem.setting else ("image", "build")
    return any((problem.service, setting) in lacking for setting in settings)


def add(rows, row, most):
    if row not in rows and len(rows) < most:
        rows.append(row)


def shown(text):
    """A value in quotes, without control characters, and no longer than a line."""
    text = str(text)
    if len(text) > MAX_SHOWN:
        text = text[:MAX_SHOWN - 1] + "…"
    return f'"{printable(text)}"'


def printable(text):
    return text if text.isprintable() else "".join(one if one.isprintable() else escape(one) for one in text)


def escape(character):
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\u{ord(character):04x}")


def sentences(problems):
    """One line for each reason: services that share one are named together, with the place of the first."""
    groups = {}
    for one in problems:
        groups.setdefault((one.setting, one.value, one.text, one.advice), []).append(one)
    lines = []
    for group in groups.values():
        names = list(dict.fromkeys(one.service for one in group if one.service))
        lines.append(str(group[0]._replace(service=listed(names))))
    return lines


def listed(names):
    """As core/reasons.cpp lists services."""
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
