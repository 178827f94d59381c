# What is said in the end.


def reason_of(error):
    """What went wrong, in words of ours: what Python or podman-compose says is for the log alone."""
    advice = ""
    if isinstance(error, Wrong):
        return error.reason
    if isinstance(error, MemoryError):
        text = "needs more memory to read than a compose file may"
    elif isinstance(error, RecursionError):
        text = "is nested too deeply, or refers to itself"
    elif isinstance(error, Refused):
        text = str(error)
    else:
        text, advice = "pgod cannot translate this commit", "report it to pgod, with the files if you can"
    return {"place": compose_file, "service": "", "setting": "", "value": "", "problem": text, "advice": advice,
            "kind": "wrong"}


def trace():
    try:
        return traceback.format_exc()[-4000:]
    except Refused:  # it shows lines of the sources
        return ""


def guarded(*modules):
    """From here on nothing but the stage and Python's own library is opened."""
    paths = sysconfig.get_paths()
    library = {os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    guard = Guard(library | {os.path.dirname(os.path.realpath(one.__file__)) for one in modules})
    sys.addaudithook(guard)
    return guard


def show():
    """What a person sees of the reader."""
    import encodings.idna, yaml
    guard = guarded(yaml)
    read = read_commit()
    said = read["problems"] + read["refusals"] + read["notes"]
    if read["model"] is None or guard.first:
        return {"shown": "", "said": [guard.first] if guard.first else said}
    model = compared(read["model"], stage, os.environ.get("HOME", "/"))
    return {"shown": json.dumps(model, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "said": said}


def answer(tail):
    import encodings.idna, podman_compose as module  # before the hook: what Python itself wants to open
    version = str(getattr(module, "__version__", ""))[:MAX_TEXT]
    say({"version": version})
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=tail)
    guard = guarded(module, module.yaml)
    result = {"notes": notes, "reasons": reasons}
    try:
        translate(result, module, guard)
    except Unfamiliar as error:
        return {"problem": f"podman-compose {version} {error}", "host": True}
    except (Wrong, Refused) as error:
        refuse(reason_of(error))
    except SystemExit as error:
        result["trace"] = tail.text
        refuse(reason_of(error))
    except Exception as error:
        result["trace"] = trace()
        if not reasons:  # it may be for what is wrong already
            refuse(reason_of(error))
    if guard.first:
        result.pop("calls", None)
        reasons[:] = [reason_of(Refused(guard.first))]
    return result


def translate(result, module, guard):
    read = read_commit()
    for sentence in read["notes"]:
        note(sentence)
    for reason in read["reasons"]:
        refuse(reason)
    result["trace"] = read["fault"]
    if read["model"] is None or guard.first:
        return
    calls = translated(module, guard, handed(read["model"]))  # also of a commit with reasons: the policy may find more
    result.update(calls=calls, model=model_of(read), files=sorted(read["files"]), places=places_of(read),
                  written={kind: {name: text[:MAX_TEXT] for name, text in names.items()} for kind, names in written_names.items()})


def encoded(result):
    try:
        text = json.dumps(result, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # of a path: YAML itself is all UTF-8
        return encoded({"problem": "a name in the compose file is not UTF-8"})
    if len(text) > MAX_RESULT:
        return encoded({"problem": "the compose file asks for more than pgod takes"})
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
        result = show() if asked.get("show") else answer(tail)
    except MemoryError as error:  # it was the commit's file that took it
        result = {"reasons": [reason_of(error)]}
    except Exception:  # also a missing podman_compose
        result = {"problem": "podman-compose cannot be loaded; reinstall the package podman-compose", "host": True,
                  "trace": trace()}
    if said_lines == 0:
        say({"version": ""})
    say(result)


main()
