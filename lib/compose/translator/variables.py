# ${NAME} in a compose file, by one set of rules under every podman-compose. Their own rules differ: 1.0.3 knows no empty
# default, from 1.3 on a service's own environment takes part, from 1.5 on keys do, 1.6 knows nested forms; and .env
# beats the environment up to 1.1.

VARIABLE = re.compile(r"""
    \$(?:
        (?P<escaped>\$) |
        (?P<named>[_a-zA-Z][_a-zA-Z0-9]*) |
        \{(?P<braced>[_a-zA-Z][_a-zA-Z0-9]*)(?: (?P<empty>:)? (?: -(?P<default>[^}]*) | \?(?P<err>[^}]*) ) )?\}
    )""", re.VERBOSE)

notes = []


def note(sentence):
    if sentence not in notes and len(notes) < MAX_NOTES:
        notes.append(sentence)


def variables_of(module, directory):
    """The environment, .env over it, and the admin's values over that."""
    own = module.dotenv_to_dict(os.path.join(directory, ".env"))
    return {**os.environ, **{name: value for name, value in own.items() if name not in admin_names},
            "COMPOSE_FILE": os.path.basename(compose_file), "COMPOSE_PROJECT_NAME": project,
            "COMPOSE_PATH_SEPARATOR": os.pathsep}


def expanded(value, variables):
    if isinstance(value, str):
        judge_forms(value, variables)
        return VARIABLE.sub(lambda match: value_of(match, variables), value)
    if isinstance(value, bytes):
        raise ValueError("a !!binary value has no place in a compose file")
    if hasattr(value, "items"):
        for key in value:
            if not isinstance(key, (str, int, float, type(None))):
                raise ValueError(f"{str(key)[:60]!r} is no text, and so no name of a setting")
        return {key: expanded(one, variables) for key, one in value.items()}
    if hasattr(value, "__iter__"):
        return [expanded(one, variables) for one in value]
    return value


def value_of(match, variables):
    if match.group("escaped") is not None:
        return "$"
    value = variables.get(match.group("named") or match.group("braced"))
    if value is not None:
        return str(value)
    if match.group("err") is not None:
        raise RuntimeError(match.group("err") or f"{match.group('braced')} is not set")
    return match.group("default") or ""


def judge_forms(text, variables):
    for match in VARIABLE.finditer(text):
        name, default = match.group("named") or match.group("braced"), match.group("default")
        if match.group("escaped") is not None:
            continue
        if "${" in (default or match.group("err") or ""):
            raise ValueError(f"${{{name}…}}: podman-compose does not expand one variable within another")
        if default and match.group("empty") and variables.get(name) == "":
            raise ValueError(f"${{{name}:-…}}: {name} is set but empty, and podman-compose would not take the default;"
                             f" leave {name} unset or give it a value")
        if default is None and match.group("err") is None and variables.get(name) is None:
            note(f"variable {name} is not set, and becomes empty")
    if "${" in VARIABLE.sub("", text):
        raise ValueError("podman-compose expands ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?error} and"
                         f" ${{NAME?error}} only, not {text[text.index('${'):][:60]!r}; $$ stands for one $")
