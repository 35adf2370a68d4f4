r"""The load balancer's wildcards as regular expressions of Python's, and with :func:`for_re2` of Envoy's.

``*`` is any number of characters, ``?`` exactly one, and a backslash takes the meaning from the next character
(elbv2 ``RuleCondition`` and ``QueryStringConditionConfig`` in botocore's service model). What each is compared to:

- ``path-pattern``: the path without its query string; case matters
- ``host-header``: the Host header, any port ignored; case does not matter
- ``http-header``: the header's value; case does not matter
- ``http-request-method``: the method; exact
- ``query-string``: the request target ``/path?query``, of which some parameter must match; case does not matter
"""

from __future__ import annotations

import re


def path_pattern(glob: str) -> str:
    """Return the expression for a path pattern."""
    return _wildcards(glob)


def host_pattern(glob: str) -> str:
    """Return the expression for a host name, followed by a port or not."""
    return f"(?i:{_wildcards(glob)})(?::[0-9]+)?"


def header_pattern(glob: str) -> str:
    """Return the expression for a header's value."""
    return f"(?i:{_wildcards(glob)})"


def method_pattern(method: str) -> str:
    """Return the expression for a request method, which knows no wildcards."""
    return re.escape(method)


def query_pattern(key: str | None, value: str) -> str:
    """Return the expression that finds ``key=value`` in a request target.

    Without ``key`` it is the value of any key, or a parameter that is no more than a value.
    """
    text = _wildcards(value, "[^&]")
    any_key = f"(?:[^&=]*={text}|{_wildcards(value, '[^&=]')})"
    parameter = f"{_wildcards(key, '[^&=]')}={text}" if key else any_key
    return rf"(?i:[^?]*\?(?:.*&)?{parameter}(?:&.*)?)"


def for_re2(pattern: str) -> str:
    """Return the same expression without atomic groups, which RE2 neither knows nor needs: it never backtracks."""
    return pattern.replace("(?>", "(?:")


def _wildcards(glob: str, any_character: str = ".") -> str:
    """Return the expression of a glob.

    What stands between two stars is taken where it is first found and never looked for again (an atomic group), so
    that a pattern of many stars costs no more than a pass over the subject.
    """
    first, *others = _between_stars(glob, any_character)
    if not others:
        return first
    *middle, last = others
    found = "".join(f"(?>{any_character}*?{piece})" for piece in middle if piece)
    return f"{first}{found}{any_character}*{last}"


def _between_stars(glob: str, any_character: str) -> list[str]:
    pieces, literal = [""], False
    for character in glob:
        if literal:
            pieces[-1] += re.escape(character)
            literal = False
        elif character == "\\":
            literal = True
        elif character == "*":
            pieces.append("")
        else:
            pieces[-1] += any_character if character == "?" else re.escape(character)
    if literal:
        pieces[-1] += re.escape("\\")
    return pieces
