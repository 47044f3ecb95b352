"""Places that differ from machine to machine, by name, for `file://` URLs of a manifest."""

import importlib.util
import re
import sysconfig
from pathlib import Path
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def expanded(url: str, here: Path) -> str:
    """Return a URL with its placeholders filled in; `here` is the manifest's directory.

    Raises LookupError, whose argument says what was expected.
    """
    return _PLACEHOLDER.sub(lambda found: quote(str(_place(found[1], here))), url)


def _place(name: str, here: Path) -> Path:
    if name == "here":
        return here
    if name == "stdlib":
        return Path(sysconfig.get_path("stdlib"))
    kind, _, package = name.partition(":")
    if kind != "package" or not package.isidentifier():
        raise LookupError("{stdlib}, {package:NAME} or {here} as placeholder")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"an installed package, and {package} is none")
    return Path(spec.submodule_search_locations[0])
