"""What a script can say of prose: how long it is, how its sentences begin, and whether it quotes the programs as they speak.
documents.py reads the files and calls this; nothing here opens a file."""

import os
import re

# A sentence does not begin with a free relative: name the thing. A question may.
OPENING = re.compile(r"^(?:Who|Whoever|What|Whatever|Which|Whichever|One (?:who|that|which)|Those (?:who|that|which)|"
                     r"That which|The one (?:who|that)|The ones (?:who|that))\b(?!.*\?$)")
PHRASES = re.compile(r"\b(?:(?:is|are) told|(?:is|are) said|(?:is|are) looked at|(?:made|make|makes) (?:\w+ )?anew|"
                     r"brought back|in vain|(?:judge[sd]?|judging)|mend(?:s|ed|ing)?|him|himself|his)\b")
MAX_SUBJECT = 72


def plain_markdown(text):
    """(line, text) of each paragraph, item and cell, without code and headings."""
    text = re.sub(r"^```.*?^```", lambda code: "\n" * code[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?-->", "", text)
    blocks, began = [], True
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"`[^`]*`", "`x`", line)
        if not line.strip() or line.startswith(("#", "    ")):
            began = True
        elif line.startswith("|"):
            blocks += [[number, cell.strip()] for cell in line.strip("|").split("|")]
        elif began or re.match(r"\s*(?:[-*]|\d+\.) ", line):
            blocks.append([number, re.sub(r"^\s*(?:[-*]|\d+\.) ", "", line)])
            began = False
        else:
            blocks[-1][1] += " " + line.strip()
    return blocks


def plain_comments(text):
    """(line, text) of each run of comments that explains something: settings that are off are none."""
    blocks, began = [], True
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("# ") or re.match(r"# \w+ = ", line):
            began = True
        elif began:
            blocks.append([number, line[2:]])
            began = False
        else:
            blocks[-1][1] += " " + line[2:]
    return [[number, re.sub(r'"[^"]*"', '"x"', text)] for number, text in blocks]


def plain_manual(text):
    """(line, text) of each line of text of a manual page: mdoc begins a sentence with a line."""
    displayed = re.sub(r"^\.Bd -literal.*?^\.Ed", lambda code: "\n" * code[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    return [[number, line] for number, line in enumerate(displayed.splitlines(), 1) if line and not line.startswith((".", "'"))]


def sentences(text):
    return re.split(r"(?<=[.!?:])\s+(?=[A-Z])", text)


def openings(name, blocks):
    found = []
    for number, text in blocks:
        for sentence in sentences(text):
            sentence = sentence.strip("*\"“( ")
            if OPENING.match(sentence):
                found.append(f"{name}:{number}: begins with a free relative: \"{sentence[:60]}\"; name the thing that acts")
        phrase = PHRASES.search(text)
        if phrase:
            found.append(f"{name}:{number}: \"{phrase[0]}\": use the active voice and the field's own word")
    return found


def lengths(name, text, most):
    count = len(text.splitlines())
    return [f"{name}: {count} lines are more than {most}: move what is not for everybody"] if count > most else []


def widths(name, text, most):
    return [f"{name}:{number}: is wider than {most} columns" for number, line in enumerate(text.splitlines(), 1)
            if len(line) > most]


def subjects(commits, known):
    """commits: lines of `git log --format='%H %s'`; known: ids that are too late to change."""
    found = []
    for line in commits.splitlines():
        commit, _, subject = line.partition(" ")
        if len(subject) > MAX_SUBJECT and not commit.startswith(tuple(known)):
            found.append(f"commit {commit[:8]}: its subject has {len(subject)} characters, at most {MAX_SUBJECT}: \"{subject}\"")
    return found


def spoken(sources):
    """What the programs may say: their sources, with a literal that goes on in the next line joined."""
    return re.sub(r"\s+", " ", re.sub(r'"\s*\n\s*f?"', "", sources))


def quotations(name, quoted, said):
    """Each quotation, values apart, is in the sources: of its longest piece at least two thirds of the words in a row."""
    found = []
    system = "|".join(re.escape(os.strerror(number)) for number in range(1, 134))
    for text in quoted:
        pieces = [piece.split() for piece in re.split(rf"{system}|…|\.\.\.|\"[^\"]*\"|\d+s?|[()]", text)]
        words = max(pieces, key=lambda piece: len(" ".join(piece)), default=[])
        runs = (" ".join(words[begin:end]) for length in range(len(words), 0, -1) if 3 * length >= 2 * len(words)
                for begin in range(len(words) - length + 1) for end in [begin + length])
        if words and not any(run in said for run in runs):
            found.append(f"{name}: quotes \"{text}\", which no program says")
    return found


def same_example(name, example, whole):
    """Each line of an example is in the whole one, in the same order."""
    rest = iter([line.strip() for line in whole.splitlines()])
    missing = [line for line in example.splitlines() if line.strip() and line.strip() not in rest]
    return [f"{name}: the job of GitLab is not that of README.md: \"{missing[0].strip()}\""] if missing else []


def self_test():
    """Each fault goes by its name, and good text has none."""
    bad = {
        "opening": openings("a", plain_markdown("Good. Who floods takes places from himself.\n")),
        "opening of an item": openings("a", plain_markdown("- What pgod refuses is rejected.\n")),
        "opening of a cell": openings("a", plain_markdown("| a | Those who ask wait. |\n")),
        "opening over two lines": openings("a", plain_markdown("It is so.\nOne that\nwas removed is gone.\n")),
        "opening of a comment": openings("a", plain_comments('# What judges the file.\ncheck = "x"\n')),
        "opening of a manual": openings("a", plain_manual(".It Fl x\nWhat is looked for.\n")),
        "phrase": openings("a", plain_markdown("The container is made anew.\n")),
        "length": lengths("a", "x\n" * 3, 2),
        "width": widths("a", "x" * 5, 4),
        "subject": subjects("abc " + "x" * 73, ["def"]),
        "quotation": quotations("a", ["the disk sings a song of errors 3 times"], spoken('"the disk is full"')),
        "example": same_example("a", "script:\n  - down\n", "script:\n  - up\n"),
    }
    good = {
        "question": openings("a", plain_markdown("What would this commit change?\n")),
        "heading and code": openings("a", plain_markdown("# What happens\n\n    What is code\n\n```\nWho is code\n```\n`mended`\n")),
        "a clause in the middle": openings("a", plain_markdown("pgod says what it refuses. It is whoever it is.\n")),
        "setting that is off": openings("a", plain_comments("# Whether it is on.\n# what = 1\n")),
        "literal of a manual": openings("a", plain_manual(".Bd -literal\nWhat is code.\n.Ed\nIt is so.\n")),
        "length": lengths("a", "x\n" * 2, 2),
        "width": widths("a", "ä" * 4, 4),
        "subject": subjects("abc " + "x" * 72 + "\ndef0 " + "x" * 80, ["def"]),
        "quotation": quotations("a", ["web was healed 3 times within 10 min and is left alone", "No space left on device"],
                                spoken('"{}; it was healed {} times within {} min and is left "\n   "alone until"')),
        "example": same_example("a", "- up", "script:\n  - up\n"),
    }
    return [*(f"went unnoticed: {name}" for name, found in bad.items() if not found),
            *(f"is no mistake: {name}: {found}" for name, found in good.items() if found)]
