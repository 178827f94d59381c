"""The whole way from a commit to its model. The caller gets a Reading, whatever the files hold."""

import os
from typing import NamedTuple

from . import dotenv
from .interpolation import Variables
from .loading import Loader
from .lookalikes import lookalikes
from .problems import Place, Problem, Refused, Report, printable, shown
from .project import Project
from .stage import Stage, asked_by_file, joined

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = ("compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml")


class Asked(NamedTuple):
    """The admin's settings for one service of pgod."""

    root: str  # the directory with the files of the commit
    project: str
    files: tuple = ()  # as the admin lists them; none: the usual names
    directory: str = ""  # of the project, beneath the root
    admin: dict = {}  # the variables that the admin sets
    environment: dict = {}  # those of the user
    home: str = "/"
    profiles: tuple = ()


class Reading(NamedTuple):
    model: dict  # or None, when there are problems
    problems: list
    refusals: list  # settings that the reader understands, and that no grant permits
    notes: list
    files: list  # that were read
    places: dict  # path of a setting → FILE:LINE
    written: dict = {}  # the keys that the merged files write, in their long forms
    values: dict = {}  # path of a setting → its text in the file, in quotes
    fault: str = ""  # of the reader itself, for its developers


def read(asked):
    report, stage = Report(), Stage(asked.root)
    model, places, written, values, fault = None, {}, {}, {}, ""
    try:
        model, places, written, values = model_of(asked, stage, report)
    except Refused as error:
        report.problem(error.problem)
    except RecursionError:
        report.problem(Problem(Place(".", 0), "", "", "", "the files are nested too deeply"))
    except MemoryError:
        report.problem(Problem(Place(".", 0), "", "", "", "the files need more memory than reading them may take"))
    except Exception as error:  # a commit must not be able to show a person anything but a sentence
        fault = f"{error!r} at {way_of(error)}"
        report.problem(Problem(Place(".", 0), "", "", "", f"pgod cannot read these files, by a fault of its own"
                               f" ({type(error).__name__})", "report it, with the files if you can"))
    return Reading(None if report.problems else model, report.settled(), report.refusals, report.notes, stage.read_files,
                   places, written, values, fault)


def way_of(error):
    """Without lines of the sources, which the sandbox does not let anybody open."""
    way, step = [], error.__traceback__
    while step is not None:
        way.append(f"{os.path.basename(step.tb_frame.f_code.co_filename)}:{step.tb_lineno}")
        step = step.tb_next
    return " ".join(way)


def model_of(asked, stage, report):
    loader = Loader(stage, asked.home, report)
    directory = joined(stage.root, asked.directory or ".", asked.home)
    own = {"COMPOSE_PROJECT_NAME": asked.project}
    outer = Variables({**asked.admin, **own}, asked.environment, {})
    given = [joined(stage.root, name, asked.home) for name in asked.files]
    if given and not asked.directory:
        directory = os.path.dirname(given[0])
    variables = Variables(asked.admin, {**asked.environment, **own}, dotenv_of(directory, outer, stage, report))
    variables.admin = frozenset(asked.admin)
    for name, path in zip(asked.files, given):
        if not stage.exists(path):
            missing(f"{shown(name)}, which the admin names, does not exist in this commit", stage)
    files = given or files_of(directory, variables, stage, report, asked)
    named = variables.get("COMPOSE_FILE") if not given else None
    by = (Place(stage.name(os.path.join(directory, ".env")), 0), "", "COMPOSE_FILE", shown(named)) if named else None
    if not given and os.path.dirname(files[0]) != directory:  # COMPOSE_FILE chose the project's directory as well
        directory = os.path.dirname(files[0])
        outermost = variables.with_dotenv(dotenv_of(directory, variables, stage, report, by))
        variables = outermost.outermost = outermost
    merged = loader.project(files, directory, variables, by or asked_by_file(stage.name(files[0])))
    if not merged.entries["services"].entries and not report.problems:  # as of a file that was cut off: it takes nothing down
        raise Refused(Problem(Place(stage.name(files[0]), 0), "", "", "", "there are no services",
                              "write services: at the top of the file"))
    profiles = asked.profiles or [one.strip() for one in (variables.get("COMPOSE_PROFILES") or "").split(",") if one.strip()]
    project = Project(merged, asked.project, profiles, loader, variables, directory)
    return project.resolved(), project.places, project.written(), project.values


def missing(text, stage):
    """Names what is there instead, as far as it looks like a compose file."""
    there = lookalikes(stage.root)
    if not there:
        advice = "add the file, or ask the admin to name another one with compose = \"PATH\""
    else:
        more = f" (and {len(there) - 1} more like it)" if len(there) > 1 else ""
        advice = f"{printable(there[0])} is there{more}: ask the admin for compose = {shown(there[0])}"
    raise Refused(Problem(Place(".", 0), "", "", "", text, advice))


def dotenv_of(directory, outer, stage, report, by=None):
    """`by`: the setting that chose the directory."""
    path = os.path.join(directory, ".env")
    data = stage.read(path, by or asked_by_file(stage.name(path)))
    return {} if data is None else dotenv.parsed(data, stage.name(path), outer.get, report)


def files_of(directory, variables, stage, report, asked):
    """Those that COMPOSE_FILE of .env names, or the usual one and the usual override beside it."""
    named = variables.get("COMPOSE_FILE")
    names = [one for one in (named or "").split(variables.get("COMPOSE_PATH_SEPARATOR") or ":") if one]
    if names:
        return [joined(directory, one, asked.home) for one in names]
    found = [name for name in NAMES if stage.exists(os.path.join(directory, name))]
    if not found:
        missing(f"{NAMES[0]} does not exist in this commit (nor {', '.join(NAMES[1:])})", stage)
    if len(found) > 1:
        report.note(Problem(Place(found[0], 0), "", "", "",
                            f"pgod reads this file; {' and '.join(found[1:])} {'has' if len(found) == 2 else 'have'} no effect"))
    overrides = [name for name in OVERRIDES if stage.exists(os.path.join(directory, name))]
    return [os.path.join(directory, name) for name in found[:1] + overrides[:1]]
