"""What people write where a secret would stand: `YOUR_API_KEY`, `xxxx`, `<token>`, `changeme`, `${TOKEN}`."""

import re

_REFERENCE = re.compile(
    r"\$|%\w+%|\{|<|&lt;|\[|@@|__\w+__$|!\w|/|(?:getenv|environ|ENV)\b"
    r"|(?:os|process|env|settings|config|self|this|secrets?|vars?|local|params|args|request|ctx|data)\."
)
_FILLER = re.compile(
    r"(?:^|[^a-z])(?:your|my|the|some|any)[-_ .]?(?:\w+[-_ .])?"
    r"(?:api|key|token|secret|pass|pw|password|value|app|account|user|own|super|strong)"
    r"|(?:change|replace|fill|put|insert|paste|enter|add|update|edit)[-_ .](?:it|me|this|in|your|here|with)"
    r"|changeme|changeit|placeholder|redacted|omitted|censored|goes[-_ .]?here|[-_ .]here$|not[-_ .](?:a|the|real)"
    r"|\.\.\.|…|\*\*\*|•"
    r"|(?<![a-z])(?:example|sample|fake|mock|foo|foobar|bar|baz|demo|dummy|hidden|removed|todo|fixme|tbd|lorem)(?![a-z])",
    re.IGNORECASE,
)
# `DB_PASSWORD` where the password would be, `docker-password` where it is what it is called.
_NAME = re.compile(r"[A-Z]+(?:_[A-Z]+)+|(?:[a-z]+[-_.])+(?:password|passwd|pass|secret|token|key)")
_TOKEN_FILLER = re.compile(
    r"x{5}|\.\.\.|…|\*{3}|your[-_]|placeholder|redacted|dummy[-_]|(?:^|[-_])(?:example|fake)[-_]", re.IGNORECASE
)
_COMMON = frozenset(
    [
        "password",
        "passwd",
        "pass",
        "pwd",
        "passw0rd",
        "passphrase",
        "p4ssw0rd",
        "mypassword",
        "mypass",
        "mysecret",
        "secret",
        "s3cret",
        "s3cr3t",
        "secretkey",
        "secret-key",
        "supersecret",
        "super-secret",
        "super_secret",
        "topsecret",
        "top-secret",
        "top_secret",
        "verysecret",
        "very-secret",
        "very_secret",
        "token",
        "api_key",
        "apikey",
        "api-key",
        "key",
        "username",
        "user",
        "login",
        "admin",
        "root",
        "guest",
        "test",
        "testing",
        "test123",
        "testpass",
        "testpassword",
        "password1",
        "password123",
        "pass123",
        "secret123",
        "qwerty",
        "letmein",
        "changeit",
        "123456",
        "12345678",
        "123456789",
        "1234567890",
        "abc123",
        "abcdef",
        "abcdefg",
        "abcdef123456",
        "foo",
        "bar",
        "example",
        "hello",
        "world",
        "none",
        "null",
        "nil",
        "true",
        "false",
        "undefined",
        "optional",
        "required",
        "string",
        "str",
        "bytes",
        "postgres",
        "mysql",
        "redis",
        "minioadmin",
        "rabbitmq",
        "neo4j",
        "elastic",
        "airflow",
        "grafana",
        "vagrant",
        "ubuntu",
        "docker",
    ]
)


# Who writes a placeholder says so at once.
_HEAD = 80


def is_filler(value: str) -> bool:
    """Whether a token says that it is none: crossed out, elided, or made of few signs."""
    return len(set(value[-24:].lower())) <= 3 or bool(_TOKEN_FILLER.search(value, 0, _HEAD))


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret that is elsewhere: a variable, a look-up, an example."""
    value = value[:_HEAD]
    plain = value.strip("'\"`").lower()
    return (
        plain in _COMMON
        or len(set(plain)) <= 3
        or bool(_NAME.fullmatch(value))
        or bool(_REFERENCE.match(value))
        or bool(_FILLER.search(value))
        or "${" in value
        or "{{" in value
    )
