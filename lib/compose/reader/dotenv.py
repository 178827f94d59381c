"""Files of variables: .env, env_file and label_file.

A value without quotes ends with its line or before " #", and one in quotes may go on over several lines. Variables are
filled in, but not in single quotes.
"""

import re

from .interpolation import Expansion, Wrong
from .problems import Place, Problem, Refused, shown

EXPORT = re.compile(r"export[ \t]+(?=\S)")
NAME = re.compile(r"[\w.\-\[\]]+")
BLANKS = " \t\v\f\r\x85\xa0"
ESCAPE = re.compile(r"\\(?:([abcfnrtv$\"\\])|0([0-7]{1,3}))")
MEANING = {"a": "\a", "b": "\b", "c": "\\c", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
           "$": "$$", '"': '"', "\\": "\\"}


def parsed(data, name, lookup, report):
    """The variables of a file in its own format. Names without a sign take their value from `lookup`, if it has one."""
    return Reader(decoded(data, name), name, lookup, report).all()


def raw(data, name, lookup):
    """The same for `format: raw`: each line is NAME=VALUE, and nothing in a value has a meaning."""
    found = {}
    for number, line in enumerate(decoded(data, name).split("\n"), 1):
        line = line.lstrip(BLANKS)
        if not line or line.startswith("#"):
            continue
        variable, sign, value = line.partition("=")
        if not variable or any(one in BLANKS for one in variable):
            refuse(Place(name, number), f"{shown(variable)} is not the name of a variable", "write NAME=VALUE")
        value = value if sign else lookup(variable)
        if value is not None:
            found[variable] = value
    return found


def decoded(data, name):
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(Place(name, data.count(b"\n", 0, error.start) + 1), "holds a byte that is not UTF-8", "save it as UTF-8")
    if "\0" in text:
        refuse(Place(name, text.count("\n", 0, text.index("\0")) + 1), "holds a NUL", "remove it")
    return text.replace("\r\n", "\n")


def refuse(place, text, advice=""):
    raise Refused(Problem(place, "", "", "", text, advice))


class Reader:
    def __init__(self, text, name, lookup, report):
        self.text, self.name, self.outer, self.report = text, name, lookup, report
        self.at, self.found = 0, {}
        self.line, self.counted = 1, 0  # lines up to `counted`

    def place(self):
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return Place(self.name, self.line)

    def lookup(self, name):
        value = self.outer(name)
        return self.found.get(name) if value is None else value

    def all(self):
        while True:
            while self.at < len(self.text) and self.text[self.at].isspace():
                self.at += 1
            if self.at >= len(self.text):
                return self.found
            if self.text[self.at] == "#":
                self.at = self.end_of_line()
            else:
                self.assignment()

    def end_of_line(self):
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def assignment(self):
        place, end = self.place(), self.end_of_line()
        if match := EXPORT.match(self.text, self.at, end):
            self.at = match.end()
        line = self.text[self.at:end]
        match = NAME.match(line)
        rest = line[match.end():].lstrip(BLANKS) if match else line
        if not match or rest[:1] not in ("=", ":", ""):
            sign = next((one for one in "=:" if one in line), "")
            refuse(place, f"{shown(line.split(sign)[0].strip() if sign else line.strip())} is not the name of a variable",
                   "write NAME=VALUE, or # before a comment")
        if not rest:
            value = self.outer(match[0])
            if value is not None:
                self.found[match[0]] = value
            self.at = end
            return
        self.at += line.index(rest[0], match.end()) + 1
        while self.at < end and self.text[self.at] in BLANKS:
            self.at += 1
        value = self.quoted(place) if self.text[self.at:self.at + 1] in ("'", '"') else self.bare(place, end)
        if "\0" in value:
            refuse(place, "the value holds a NUL", "remove \\0")
        self.found[match[0]] = value

    def bare(self, place, end):
        value = self.text[self.at:end].split(" #", 1)[0].rstrip()
        self.at = end
        if value.startswith("# "):
            self.note(place, "the value begins with #, and is not a comment; put the comment into a line of its own")
        return self.expanded(value, place)

    def quoted(self, place):
        quote, end = self.text[self.at], self.at + 1
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            refuse(place, f"the quote {quote} is never closed", "close it, or put the value into the other quotes")
        value, self.at = self.text[self.at + 1:end], end + 1
        tail = self.text[self.at:self.end_of_line()].strip()
        if tail and not tail.startswith("#"):
            self.note(place, "the text behind the closing quote has no effect; put the whole value into the quotes")
        self.at = self.end_of_line()
        if quote == "'":
            return value.replace("\\'", "'")
        return self.expanded(ESCAPE.sub(meaning, value), place)

    def note(self, place, text):
        self.report.note(Problem(place, "", "", "", text))

    def expanded(self, value, place):
        if "$" not in value:
            return value
        expansion = Expansion(self.lookup)
        try:
            value = expansion.text(value)
        except Wrong as error:
            refuse(place, error.text, error.advice)
        if not self.report.spend(len(value)):
            refuse(place, "the files grow too long once their variables are filled in")
        for name in expansion.unset:
            self.note(place, f"the variable {name} is not set, and becomes empty")
        return value


def meaning(match):
    return MEANING[match[1]] if match[1] else chr(int(match[2], 8))
