"""Reads the compose files of a commit as the Compose specification says, the same on every host.

It runs as the service's user, in the process that later hands the model to podman-compose. Everything that it reads is
hostile: limits.py holds the bounds, and stage.py opens files beneath the stage alone. A fault of the files is a Problem,
never another exception.
"""
