"""API keys: who may ask which twins for what. A file holds digests of the keys, never the keys themselves.

A key is 256 random bits, so a plain sha256 keeps it: a slow hash protects what people make up, and would cost every
request its time (OWASP Password Storage Cheat Sheet; NIST SP 800-63B-4 §3.1.2, look-up secrets of 112 bits and more).
"""

import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from resources.errors import ConfigurationError
from resources.settings import AuthorKey, Environment

# What a key may be for; `answer` is the chat of OpenAI's interface, too.
Endpoint = Literal["answer", "search", "write", "embeddings", "metrics", "feedback"]
ENDPOINTS = get_args(Endpoint)

# Found in a log or a repository, a key says by it what it is.
_PREFIX = "twin_"
_FILE = "keys.json"
_MEND = "Make one with `twin keys new NAME`."


class ApiKey(BaseModel):
    """What is kept of a key; `authors` and `endpoints` are all where they are None.

    `held_by` is the author whose own key it is: what comes with it to correct an answer is taken for their words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    authors: tuple[AuthorKey, ...] | None = None
    endpoints: tuple[Endpoint, ...] | None = None
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    held_by: AuthorKey | None = None
    created_at: datetime

    @model_validator(mode="after")
    def _may_ask_its_holder(self) -> Self:
        if self.held_by is not None and self.authors is not None and self.held_by not in self.authors:
            raise ValueError("the key is held by an author whose twin it may not ask")
        return self


_KEYS = TypeAdapter(tuple[ApiKey, ...])


class Keyring:
    """The keys that hold now. A file is read again when it changes: a key taken out of it stops working at once.

    Where there is neither a file nor keys in the environment when it is made, no key is needed. A file that vanishes or
    breaks later opens nothing: the one that is gone holds no key, the one that cannot be read holds those it held.
    """

    def __init__(self, path: Path | None = None, text: str | None = None) -> None:
        self._path = path
        self._fixed = parsed(text, "TWIN_KEYS") if text else ()
        self._stamp: tuple[int, int, int] | None = None
        self._by_digest: dict[str, ApiKey] = {}
        self._needed = bool(text)
        self._read()
        self._needed = self._needed or self._stamp is not None

    @property
    def needed(self) -> bool:
        """Whether a key has to be shown."""
        self._look_again()
        return self._needed

    def find(self, token: str) -> ApiKey | None:
        """The record of a key, None if it holds no more or never did."""
        self._look_again()
        return self._by_digest.get(_digest(token))

    def holds(self, key: ApiKey) -> bool:
        """Whether a key that was found still holds as it was."""
        self._look_again()
        return self._by_digest.get(key.sha256) == key

    def _look_again(self) -> None:
        if self._path is None or self._stamp == _stamp(self._path):
            return
        try:
            self._read()
        except ConfigurationError:
            # Half-written, or misspelt by hand: neither open to all nor closed to all. It is read again at next look.
            return

    def _read(self) -> None:
        stamp = _stamp(self._path) if self._path else None
        found = read_keys(self._path) if self._path and stamp else ()
        self._by_digest = {key.sha256: key for key in (*self._fixed, *found)}
        self._stamp = stamp
        self._needed = self._needed or stamp is not None


def keys_file(environment: Environment) -> Path | None:
    """`TWIN_KEYS_FILE`, else keys.json in the home; None where the home is a bucket."""
    if named := os.environ.get("TWIN_KEYS_FILE"):
        return Path(named).expanduser().resolve()
    return None if "://" in environment.home else environment.local(_FILE)


def keyring(environment: Environment) -> Keyring:
    """The keys of this machine: those in the file, and those in `TWIN_KEYS`, which holds what a file would."""
    return Keyring(keys_file(environment), os.environ.get("TWIN_KEYS"))


def new_key(name: str, **scope: object) -> tuple[str, ApiKey]:
    """A key, to be shown once, and what to keep of it; raises `ConfigurationError` if it may not be called so."""
    token = _PREFIX + secrets.token_urlsafe(32)
    try:
        return token, ApiKey.model_validate(
            {"name": name, "sha256": _digest(token), "created_at": datetime.now(UTC), **scope}
        )
    except ValidationError as error:
        raise ConfigurationError(_said(error), where=f"key '{name}'") from None


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys in a file, none if there is no file; raises `ConfigurationError` if it is not one of keys."""
    try:
        return parsed(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot be read ({type(error).__name__})", where=str(path), mend=_MEND) from None


def write_keys(path: Path, keys: Sequence[ApiKey]) -> None:
    """Put the file in its place whole, readable by its owner alone; who reads it sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(_KEYS.dump_json(tuple(keys), indent=2, exclude_none=True) + b"\n")
    Path(name).replace(path)


def parsed(text: str, where: str) -> tuple[ApiKey, ...]:
    """Keys as JSON; raises `ConfigurationError` that repeats nothing of what it read."""
    try:
        keys = _KEYS.validate_python(json.loads(text), strict=False)
    except ValidationError as error:
        raise ConfigurationError(_said(error), where=where, mend=_MEND) from None
    except ValueError:
        raise ConfigurationError("is not JSON", where=where, mend=_MEND) from None
    if len({key.name for key in keys}) < len(keys):
        raise ConfigurationError("two keys have one name", where=where, mend=_MEND)
    return keys


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _said(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'it'}: {first['msg']}"
