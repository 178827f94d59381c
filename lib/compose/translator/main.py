# What is said in the end.


def sentence_of(error):
    """What went wrong, in the words of somebody who edits the compose file."""
    text = " ".join(str(error).split())[:MAX_TEXT]
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"{shown(str(mark.name))}:{mark.line + 1}: {error.problem or error.context or 'is not YAML'}"
    if isinstance(error, MemoryError):
        return f"{compose_file}: needs more memory to read than a compose file may"
    if isinstance(error, RecursionError):
        return f"{compose_file}: is nested too deeply, or refers to itself"
    if isinstance(error, Refused):
        return f"{compose_file}: {text}"
    if isinstance(error, FileNotFoundError):
        return f"{compose_file}: {shown(str(error.filename))} does not exist"
    if isinstance(error, KeyError):
        return f"{compose_file}: refers to {error.args[0]!r}, which is not defined"[:MAX_TEXT]
    if isinstance(error, (ValueError, RuntimeError, OSError)) and text:
        return f"{compose_file}: {text}"
    return f"{compose_file}: podman-compose cannot work with it ({type(error).__name__}: {text})"


def first_of(problems):
    left = len(problems) - 1
    return problems[0] + (f" (and {left} more problem{'s' if left > 1 else ''})" if left else "")


def trace():
    try:
        return traceback.format_exc()[-4000:]
    except Refused:  # it shows lines of the sources
        return ""


def answer(tail):
    import encodings.idna, podman_compose as module  # before the hook: what Python itself wants to open
    version = str(getattr(module, "__version__", ""))[:MAX_TEXT]
    say({"version": version})
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=tail)
    paths = sysconfig.get_paths()
    library = {os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    own = {os.path.dirname(os.path.realpath(one.__file__)) for one in (module, module.yaml)}
    guard = Guard(library | own)
    sys.addaudithook(guard)
    try:
        read = read_commit()
        for sentence in read["notes"]:
            note(sentence)
        problems = read["refusals"] + read["problems"]  # the most dangerous ones first
        if problems and not guard.first:
            return {"problem": first_of(problems), "problems": problems[:MAX_PROBLEMS], "trace": read["fault"]}
        file = {} if guard.first else handed(read["model"])
        if refused and not guard.first:
            return {"problem": first_of(refused), "problems": refused[:MAX_PROBLEMS]}
        if not guard.first:
            calls = translated(module, guard, file)
        if not guard.first:
            return {"calls": calls, "model": model_of(read), "files": sorted(read["files"]), "notes": notes}
        return {"problem": f"{compose_file}: {guard.first}"}
    except Refused as error:
        return {"problem": f"{compose_file}: {guard.first or error}"}
    except Unfamiliar as error:
        return {"problem": f"podman-compose {version} {error}", "host": True}
    except SystemExit:
        said = tail.text.strip().splitlines()[-1:] or ["podman-compose gives up without a word"]
        return {"problem": f"{compose_file}: {said[0][:MAX_TEXT]}"}
    except Exception as error:
        return {"problem": sentence_of(error), "trace": trace()}


def encoded(result):
    try:
        text = json.dumps(result, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # of a path: YAML itself is all UTF-8
        return encoded({"problem": f"{compose_file}: a name in it is not UTF-8"})
    if len(text) > MAX_RESULT:
        return encoded({"problem": f"{compose_file}: asks for more than pgod takes"})
    return text


said_lines = 0


def say(line):
    global said_lines
    said_lines += 1
    text = encoded(line) + b"\n"
    while text:
        text = text[os.write(result_fd, text):]


def main():
    tail = sys.stdout = sys.stderr = Tail()
    try:
        result = answer(tail)
    except MemoryError as error:  # it was the commit's file that took it
        result = {"problem": sentence_of(error)}
    except Exception as error:  # also a missing podman_compose
        result = {"problem": f"podman-compose cannot be run ({type(error).__name__}: {error})", "host": True}
    if said_lines == 0:
        say({"version": ""})
    say(result)


main()
