# Stands before the program that uses the reader, behind a line `READER = {NAME: SOURCE IN HEXADECIMAL}`: the modules
# travel inside the program that runs them, so nothing has to be installed beside it.

import importlib.abc
import importlib.util
import sys


class ReaderModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    PACKAGE = "pgod_reader"

    def find_spec(self, name, path=None, target=None):
        part = "__init__" if name == self.PACKAGE else name.removeprefix(self.PACKAGE + ".")
        if name == self.PACKAGE or part != name and part in READER:  # noqa: F821
            return importlib.util.spec_from_loader(name, self, is_package=name == self.PACKAGE)
        return None

    def exec_module(self, module):
        part = "__init__" if module.__name__ == self.PACKAGE else module.__name__.removeprefix(self.PACKAGE + ".")
        text = bytes.fromhex(READER[part]).decode()  # noqa: F821
        exec(compile(text, f"<reader {part}>", "exec"), module.__dict__)


sys.meta_path.insert(0, ReaderModules())
