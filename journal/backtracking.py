"""Which regular expressions may take for ever: those that repeat what itself repeats or branches.

`(a+)+$` needs twice the time for each further `a`, and nothing stops a match once it has begun: it
holds the interpreter, so all threads stand still.
"""

# The tree is the library's own, and the only honest answer to what an expression means.
import re
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

_MANY: Final = 8  # fewer repetitions than this cannot explode


def is_explosive(pattern: re.Pattern[str]) -> bool:
    """Tell whether a pattern has a repetition with another, or a choice, inside of it.

    Possessive and atomic parts do not count: what they took they never give back.
    """
    return _is_explosive(_parser.parse(pattern.pattern, pattern.flags), is_repeated=False)


def _is_explosive(items: Any, *, is_repeated: bool) -> bool:
    for kind, argument in items:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            least, most, inner = argument
            is_many = most > _MANY and most > least
            if (is_many and is_repeated) or _is_explosive(
                inner, is_repeated=is_repeated or is_many
            ):
                return True
        elif kind is op.BRANCH:
            if is_repeated or any(_is_explosive(one, is_repeated=False) for one in argument[1]):
                return True
        elif kind is op.SUBPATTERN:
            if _is_explosive(argument[-1], is_repeated=is_repeated):
                return True
        elif kind in (op.ATOMIC_GROUP, op.POSSESSIVE_REPEAT, op.ASSERT, op.ASSERT_NOT):
            inner = argument if kind is op.ATOMIC_GROUP else argument[-1]
            if _is_explosive(inner, is_repeated=False):
                return True
    return False
