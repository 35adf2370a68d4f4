r"""The load balancer's wildcards as regular expressions that Python and RE2 read alike.

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


def _wildcards(glob: str, any_character: str = ".") -> str:
    expression, literal = [], False
    for character in glob:
        if literal:
            expression.append(re.escape(character))
            literal = False
        elif character == "\\":
            literal = True
        elif character in "*?":
            expression.append(any_character + ("*" if character == "*" else ""))
        else:
            expression.append(re.escape(character))
    return "".join(expression) + (re.escape("\\") if literal else "")
