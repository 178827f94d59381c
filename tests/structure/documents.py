#!/usr/bin/env python3
"""Fails when a manual page has a fault that mandoc finds, when the documents and the code disagree about what can be
configured or asked for, or when prose is too long or has to be decoded (prose.py). Argument: the root of the source tree, or
--self-test, which fails when a fault of prose would go unnoticed."""

import pathlib
import re
import subprocess
import sys

import prose

ROOT = pathlib.Path(sys.argv[1])
MAX_LINES = {"README.md": 200, "man/pgod.8": 300, "man/pgoctl.1": 350}
LATE_SUBJECTS = ["d19298a", "35d4135", "ef258fe", "7c9d375", "65774d5"]  # they were there before the limit


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def names_in(source, array):
    """The quoted words of a constexpr array in a source file."""
    body = re.search(rf"\b{array}\{{(.*?)\}};", source, re.DOTALL)
    return re.findall(r'"([^"]+)"', body[1]) if body else []


def lint():
    found = []
    for page in manuals():
        judged = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / page], capture_output=True, text=True,
                                timeout=60, check=False)
        if judged.returncode != 0:
            found.append(judged.stdout + judged.stderr)
    return found


def settings():
    """Every setting is in the manual and in the example, and nothing else is."""
    source, manual, example = read("lib/config/config.cpp"), read("man/pgod.toml.5"), read("config.example.toml")
    source += read("lib/config/proxy.cpp")
    found = []
    before, _, service_part = manual.partition(".Ss Settings of a service")
    file_part, _, proxy_part = before.partition(".Ss Settings of the reverse proxy")
    before, _, example_service = example.partition("\n[[services]]")
    example_file, _, example_proxy = before.partition("\n[proxy]")
    for array, part, shown in (("file_keys", file_part, example_file), ("proxy_keys", proxy_part, example_proxy),
                               ("service_keys", service_part, example_service)):
        known = set(names_in(source, array)) - {"services", "proxy"}
        documented = set(re.findall(r"^\.It Ic (\w+) No =", part, re.MULTILINE))
        if not known or known != documented:
            found.append(f"man/pgod.toml.5 and {array} of lib/config differ in {sorted(known ^ documented)}")
        exampled = set(re.findall(r"^(?:# )?(\w+)\s*= ", shown, re.MULTILINE))  # one that is off by default is a comment
        if known != exampled:
            found.append(f"config.example.toml and {array} of lib/config differ in {sorted(known ^ exampled)}")
    return found


def environment():
    """The names that may not be set are those that the manual lists."""
    body = re.search(r"reserved\{\{(.*?)\}\};", read("lib/core/variable_name.cpp"), re.DOTALL)
    known = set(re.findall(r'\{"([^"]+)",', body[1]))
    documented = set(re.findall(r"^\.Ev (\S+)", read("man/pgod.toml.5"), re.MULTILINE))
    return [] if known and known == documented else [f"the reserved names of env differ in {sorted(known ^ documented)}"]


def operations():
    """pgoctl(1) explains every operation that there is."""
    known = re.findall(r'\{Op::\w+, "([^"]+)"', read("lib/core/operation.cpp"))
    manual = read("man/pgoctl.1")
    missing = [name for name in known if not re.search(rf"^\.It Cm .*\b{name}\b", manual, re.MULTILINE)]
    return [f"man/pgoctl.1 does not explain {missing}"] if missing or not known else []


def groups():
    """The README names every operation, and the example says which group each is in."""
    known = re.findall(r'\{Op::\w+, "([^"]+)", OpGroup::(\w+)', read("lib/core/operation.cpp"))
    table, _, others = read("README.md").partition("operations\n")[2].partition("\n## ")[0].partition("\nThe others are `")
    shown = set(re.findall(r"`([a-z]+)[^`]*`", "\n".join(re.findall(r"^\| (.*?) \|(?=[^|]*\|$)", table, re.MULTILINE))))
    shown |= set(others.partition("`")[0].split())
    names = {name for name, _ in known}
    found = [f"README.md and operation.cpp differ in the operations {sorted(names ^ shown)}"] if shown != names else []
    example = " ".join(line.removeprefix("# ") for line in read("config.example.toml").splitlines())
    for group in ("read", "deploy"):
        said = re.search(rf'"{group}" \(([a-z, ]+)\)', example)
        names = {name for name, its in known if its == group}
        if not said or set(said[1].split(", ")) != names:
            found.append(f"config.example.toml does not say which operations are of \"{group}\": {sorted(names)}")
    return found


def options():
    """The manual pages explain every option of the two programs, and fish completes those of pgoctl."""
    found = []
    for source, page in (("lib/client/options.cpp", "man/pgoctl.1"), ("cmd/pgod/pgod.cpp", "man/pgod.8")):
        given = re.findall(r'(?:add_option|add_flag|set_version_flag)\(\s*"([^"]+)"', read(source))
        known = {name for names in given for name in names.split(",")} | {"-h", "--help"}
        explained = set()
        for line in re.findall(r"^\.It (Fl .*)$", read(page).partition(".Sh SIGNALS")[0].partition(".Sh OPERATIONS")[0],
                               re.MULTILINE):
            explained |= {f"--{name}" for name in re.findall(r"Fl Fl ([a-z-]+)", line)}
            explained |= {f"-{name}" for name in re.findall(r"(?:^|, )Fl ([a-z])\b|^Fl ([a-z]) ,", line) for name in name if name}
        if len(given) < 5 or known != explained:
            found.append(f"{page} and {source} differ in the options {sorted(known ^ explained)}")
        if page == "man/pgoctl.1":
            fish = "\n".join(re.findall(r"^complete .*$", read("completions/pgoctl.fish"), re.MULTILINE))
            completed = {f"--{name}" for name in re.findall(r" -l ([a-z-]+)", fish)}
            completed |= {f"-{name}" for name in re.findall(r" -s ([a-z])\b", fish)}
            if known != completed:
                found.append(f"completions/pgoctl.fish and {source} differ in {sorted(known ^ completed)}")
    return found


def statuses():
    """pgoctl(1) explains every exit status, and the README names none that there is not."""
    known = set(re.findall(r"^inline constexpr int \w+ = (\d+);", read("lib/core/exit_status.hpp"), re.MULTILINE))
    table = read("man/pgoctl.1").partition(".Sh EXIT STATUS")[2].partition(".Sh EXAMPLES")[0]
    explained = set(re.findall(r"^\.It (\d+)", table, re.MULTILINE)) - {"130", "141"}  # those of signals
    found = [] if known and known == explained else [f"man/pgoctl.1 and exit_status.hpp differ in {sorted(known ^ explained)}"]
    summary = read("README.md").partition("\nExit statuses: ")[2].partition("\n\n")[0]
    named = set(re.findall(r"(?:^|· )(\d+) ", summary))
    return found + ([f"README.md's exit statuses: {sorted(named - known)}"] if not named or named - known else [])


def metrics():
    """docs/operate.md explains every metric, and the alerts and the document name no other."""
    known = set(re.findall(r'"(pgod_[a-z_]+)"', read("lib/daemon/metrics_text.cpp")))
    documented = set(re.findall(r"`(pgod_\w+)`", "\n".join(re.findall(r"^\| (.*?) \|", read("docs/operate.md"), re.MULTILINE))))
    found = [] if known and known == documented else [f"docs/operate.md and metrics_text.cpp differ in {sorted(known ^ documented)}"]
    unknown = set(re.findall(r"\bpgod_\w+", read("packaging/alerts.yml"))) - known
    return found + ([f"packaging/alerts.yml names {sorted(unknown)}"] if unknown else [])


def json_names():
    """pgoctl-json(7) explains every name that `status --json` has."""
    known = set(re.findall(r'json\["(\w+)"\]', read("lib/daemon/status_text.cpp")))
    words = set(re.findall(r"\w+", read("man/pgoctl-json.7")))
    return [f"man/pgoctl-json.7 lacks {sorted(known - words)}"] if known - words or not known else []


def ci_job():
    """The job of GitLab is the same everywhere."""
    def job_in(text):
        return next((block for block in re.findall(r"^deploy:\n(?:[ ]+.*\n)+", text, re.MULTILINE)), "")

    job, found = job_in(read("README.md")), []
    for name in [*manuals(), *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]:
        found += prose.same_example(name, job_in(read(name)), job)
    return found if job else ["README.md has no job of GitLab"]


def manuals():
    return sorted(f"man/{path.name}" for path in (ROOT / "man").iterdir())


def plain_english():
    """Short documents, and no sentence that begins with what has to be decoded. promises.md is made of the tests' names."""
    found = []
    for name, most in MAX_LINES.items():
        found += prose.lengths(name, read(name), most)
    found += prose.widths("README.md", read("README.md"), 120)
    documents = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md") if path.name != "promises.md")]
    for name in documents:
        text = re.sub(r"<!-- of .*?<!-- end of", lambda made: "\n" * made[0].count("\n"), read(name), flags=re.DOTALL)
        found += prose.openings(name, prose.plain_markdown(text))
    for name in manuals():
        found += prose.openings(name, prose.plain_manual(read(name)))
    return found + prose.openings("config.example.toml", prose.plain_comments(read("config.example.toml")))


def links():
    """Each link between the documents leads to a file, and to a heading of it."""
    found = []
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            if "://" in link or (target.exists() and not anchor):
                continue
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if target.exists() else []
            if anchor not in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}:
                found.append(f"{path.relative_to(ROOT)}: the link to {link} leads nowhere")
    return found


def paths():
    """Each file that the documents for developers name is there; without a folder, in the folder of the one before."""
    folders = ["lib", "cmd", "tests", "scripts", "debian", "packaging", "man", "completions"]
    names = {path.name for folder in folders for path in (ROOT / folder).rglob("*")} | {path.name for path in ROOT.iterdir()}
    found = []
    for document in ("docs/architecture.md", "CONTRIBUTING.md"):
        for named in re.findall(r"`([\w/*.-]+)`", read(document)):
            rooted = named.partition("/")[0] in folders and "/" in named
            if rooted and not list(ROOT.glob(named.rstrip("/"))):
                found.append(f"{document} names {named}, which does not exist")
            elif not rooted and re.search(r"\w\.(?:cpp|hpp|py)$", named) and named.rpartition("/")[2] not in names and "*" not in named:
                found.append(f"{document} names {named}, which does not exist")
    return found


def subjects():
    """Subjects of the commits since the newest tag, or of the last 50; a tree without history has none."""
    if not (ROOT / ".git").exists():
        return []

    def git(*words):
        return subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, *words], capture_output=True, text=True, timeout=60,
                              check=False)

    tag = git("describe", "--tags", "--abbrev=0")
    newest = [f"{tag.stdout.strip()}.."] if tag.returncode == 0 else ["-50"]
    listed = git("log", "--no-merges", "--format=%H %s", *newest)
    return prose.subjects(listed.stdout, LATE_SUBJECTS) if listed.returncode == 0 else [f"git log: {listed.stderr}"]


def messages():
    """What the documents quote of the programs is what these say."""
    sources = "".join(path.read_text(encoding="utf-8") for folder in ("lib", "cmd") for path in sorted((ROOT / folder).rglob("*"))
                      if path.suffix in (".cpp", ".hpp", ".py"))
    table = read("docs/operate.md").partition("| it says | do this |")[2].partition("\n\n")[0]
    quoted = [text for row in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for text in re.findall(r"`([^`]+)`", row)]
    found = [] if quoted else ["docs/operate.md quotes nothing"]
    for name in manuals():
        diagnostics = re.findall(r'^\.It "(.*)"$', read(name).partition(".Sh DIAGNOSTICS")[2], re.MULTILINE)
        found += prose.quotations(name, [text.replace("\\(dq", '"') for text in diagnostics], prose.spoken(sources))
    return found + prose.quotations("docs/operate.md", quoted, prose.spoken(sources))


def main():
    if sys.argv[1] == "--self-test":
        found = prose.self_test()
    else:
        found = [*lint(), *settings(), *environment(), *operations(), *groups(), *options(), *statuses(), *metrics(), *json_names(),
                 *ci_job(), *plain_english(), *links(), *paths(), *subjects(), *messages()]
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
