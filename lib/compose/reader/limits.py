"""Bounds of one reading. A compose file of ordinary size is far below each of them."""

MAX_FILE = 1 << 20  # bytes of one file
MAX_FILES = 200  # of one reading
MAX_BYTES = 4 << 20  # of all files, each counted as often as it is read
MAX_INCLUDES = 100  # each counted as often as another file includes it
MAX_NODES = 50_000  # of one file, with all aliases written out
MAX_ALL_NODES = 200_000  # of all files, each counted as often as it is included
MAX_DEPTH = 60  # of maps and lists in one another
MAX_CHAIN = 16  # files that include each other, services that extend each other
MAX_NESTING = 20  # variables within the defaults of variables
MAX_TEXT = 1 << 20  # characters of one text, once its variables are filled in
MAX_EXPANDED = 8 << 20  # characters of all such texts, of all files
MAX_SERVICES = 500
MAX_STOP_GRACE = 600  # seconds; as core/stop_grace.hpp
MAX_PORTS = 2_000  # of one service, with all ranges written out
MAX_PROBLEMS = 200
MAX_NOTES = 200
MAX_PROFILES = 20  # that no service has, with a note each
MAX_SHOWN = 120  # characters of a value in a sentence
