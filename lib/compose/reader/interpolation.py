"""Variables in values: $NAME, ${NAME}, and ${NAME} with :- - :? ? :+ +, within one another, and $$ for one $."""

import re

from .limits import MAX_NESTING, MAX_TEXT
from .nodes import List, Map
from .problems import Problem, Refused, shown

NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
OPENING, VARIABLE = re.compile(r"[{}]"), re.compile(r"\$\{|\}")
OPERATORS = (":-", ":?", ":+", "-", "?", "+")


class Wrong(ValueError):
    """A form that is none, or a required variable that is missing."""

    def __init__(self, text, advice=""):
        super().__init__(text)
        self.text, self.advice = text, advice


class Variables:
    """The variables of one project: the admin's before the environment's before those of .env.

    `outermost` are those of the project that includes all others: env files and names without a value use them.
    """

    def __init__(self, admin, environment, dotenv):
        self.values = {**dotenv, **environment, **admin}
        self.admin = frozenset(admin)
        self.outermost = self

    def get(self, name):
        return self.values.get(name)

    def with_dotenv(self, dotenv):
        """Those of an included file: what its own .env adds."""
        result = Variables({}, self.values, dotenv)
        result.admin, result.outermost = self.admin, self.outermost
        return result


class Expansion:
    """Expands one text, and keeps what a sentence about it has to say."""

    def __init__(self, lookup):
        self.lookup, self.unset, self.used, self.budget = lookup, [], [], MAX_TEXT
        self.lacking = []  # those that are unset or empty, and have no default

    def text(self, text, depth=0):
        if depth > MAX_NESTING:
            raise Wrong(f"variables stand more than {MAX_NESTING} deep in one another")
        closing = {}
        if "${" in text:  # a brace of a default may stand alone, or have a partner
            closing = {**braces(text, "${"), **braces(text, "{")}
        parts, start = [], 0
        while (sign := text.find("$", start)) >= 0:
            parts.append(text[start:sign])
            part, start = self.variable(text, sign + 1, depth, closing)
            parts.append(part)
        parts.append(text[start:])
        result = "".join(parts)
        self.budget -= len(result)
        if self.budget < 0:
            raise Wrong("grows too long once its variables are filled in")
        return result

    def variable(self, text, at, depth, closing):
        """The value of what stands behind a dollar sign, and where the text goes on."""
        if text.startswith("$", at):
            return "$", at + 1
        if text.startswith("{", at):
            end = closing.get(at)
            if end is None:
                raise Wrong(f"{shown(text[at - 1:])} has no closing brace", "write $$ for a dollar sign of its own")
            return self.braced(text[at + 1:end], depth), end + 1
        match = NAME.match(text, at)
        if not match:
            return "$", at
        return self.value_of(match[0]), match.end()

    def braced(self, inner, depth):
        match = NAME.match(inner)
        if not match:
            raise Wrong(f"{shown('${' + inner + '}')} has no name of a variable",
                        "write ${NAME}, or $$ for a dollar sign of its own")
        name, rest = match[0], inner[match.end():]
        if not rest:
            return self.value_of(name)
        operator = next((one for one in OPERATORS if rest.startswith(one)), None)
        if operator is None:
            raise Wrong(f"{shown('${' + inner + '}')} is not a form of a variable",
                        "write ${NAME}, ${NAME:-default}, ${NAME:?text} or ${NAME:+text}")
        word, value = rest[len(operator):], self.lookup(name)
        there = value is not None and (value != "" or not operator.startswith(":"))
        self.used.append(name)
        if operator.endswith("+"):
            return self.text(word, depth + 1) if there else ""
        if there:
            return value
        if operator.endswith("-"):
            return self.text(word, depth + 1) or self.nothing(name)
        reason = "is not set" if value is None else "is set, but empty"
        said = word  # as the file has it: what stands in it may be a value of the admin
        raise Wrong(f"the file requires the variable {name}, which {reason}" + (f" ({said})" if said else ""),
                    f"give {name} a value in .env, or ask the admin to set it in env")

    def value_of(self, name):
        value = self.lookup(name)
        self.used.append(name)
        if value is None:
            self.unset.append(name)
        return value or self.nothing(name)

    def nothing(self, name):
        self.lacking.append(name)
        return ""


def braces(text, opening):
    """Where each brace closes. In one pass: a hostile text has many that never do."""
    found, waiting = {}, []
    for match in (OPENING if opening == "{" else VARIABLE).finditer(text):
        if match[0] != "}":
            waiting.append(match.end() - 1)
        elif waiting:
            found[waiting.pop()] = match.start()
    return found


class Interpolation:
    """Fills in the variables of a whole file. Keys stay as they are."""

    def __init__(self, variables, report):
        self.variables, self.report = variables, report

    def node(self, node, path=()):
        if isinstance(node, Map):
            for key, entry in node.entries.items():
                self.node(entry, (*path, key))
        elif isinstance(node, List):
            for item in node.items:
                self.node(item, path)
        elif isinstance(node.value, str) and "$" in node.text:
            with self.report.guard():
                self.scalar(node, path)

    def scalar(self, node, path):
        service, setting = named(path)
        expansion = Expansion(self.variables.get)
        try:
            node.text = expansion.text(node.text)
        except Wrong as error:
            node.text = node.value = ""
            problem = Problem(node.place, service, setting, "", error.text, error.advice)
            self.report.unfilled.append(problem)
            raise Refused(problem) from None
        if not self.report.spend(len(node.text)):
            node.text = node.value = ""
            raise Refused(Problem(node.place, service, setting, "",
                                  "the files grow too long once their variables are filled in"))
        node.value, node.expanded = node.text, True
        node.hidden = any(name in self.variables.admin for name in expansion.used)
        node.lacking = tuple(dict.fromkeys(expansion.lacking))
        for name in expansion.unset if not path[0].startswith("x-") else ():  # it takes effect where an alias uses it
            self.report.note(Problem(node.place, service, setting, "", f"the variable {name} is not set, and becomes empty",
                                     "write . for the directory of the file" if name == "PWD" else ""))


def named(path):
    """The service and the setting of a path from the top of a file."""
    if len(path) > 1 and path[0] == "services":
        return path[1], ".".join(path[2:])
    return "", ".".join(path)
