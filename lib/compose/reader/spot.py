"""Where a form works: the service, the setting, and what the file that holds it is read with."""

from .nodes import Scalar
from .problems import Problem, Refused, shown


class Context:
    """The settings of one file share this."""

    def __init__(self, report, directory, home, variables, scope):
        self.report = report
        self.directory = directory  # what relative paths begin at
        self.home, self.variables = home, variables
        self.scope = scope  # the number of these variables: what is read with others is another reading


class Spot:
    def __init__(self, context, service="", setting=""):
        self.context, self.service, self.setting = context, service, setting

    def at(self, key):
        return Spot(self.context, self.service, f"{self.setting}.{key}" if self.setting else key)

    def problem(self, node, text, advice="", place=None):
        if isinstance(node, Scalar) and node.lacking:
            advice = lacks(node.lacking)
        return Problem(place or node.place, self.service, self.setting, value_of(node), text, advice)

    def refuse(self, node, text, advice="", place=None):
        raise Refused(self.problem(node, text, advice, place))

    def note(self, node, text, advice=""):
        self.context.report.note(self.problem(node, text, advice))

    def guard(self):
        return self.context.report.guard()


def lacks(names):
    first = names[:3]
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    one = f"{', '.join(first)}{rest} {'has' if len(names) == 1 else 'have'} no value"
    return f"{one}: write one into .env, or ask the admin to set it in env"


def value_of(node):
    """Shows the text of the file. Adds the value that it became, unless that would show a value of the admin."""
    if not isinstance(node, Scalar) or node.written == "" and not node.expanded:
        return ""
    if node.expanded and not node.hidden and node.text != node.written:
        return f"{shown(node.written)} (here {shown(node.text)})"
    return shown(node.written)
