"""Names that a person includes or excludes by shell patterns."""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(name: str, include: Iterable[str], exclude: Iterable[str]) -> bool:
    """Whether a name is asked for, whatever its case; a pattern is for all of it or for its last part (`a/b` or `b`).

    Without `include` everything is; `*` stands for slashes, too.
    """
    names = (name.casefold(), name.rpartition("/")[2].casefold())

    def named(patterns: Iterable[str]) -> bool:
        return any(fnmatchcase(each, pattern.casefold()) for pattern in patterns for each in names)

    wanted = tuple(include)
    return (not wanted or named(wanted)) and not named(exclude)
