"""Git over https, as guarded as every other request: addresses checked and pinned, no redirect, no prompt."""

import base64
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.repositories.git import git_is_missing, last_line, run_git
from resources.http import AddressRefusedError

# A file this large is no code that a person wrote; without such blobs a clone of a repository full of data is small.
LARGEST_BLOB = "1m"
_TIMEOUT = 900.0
_LOOK_EVERY = 0.2
_ASK_LIMIT = 16 * 2**20
_PORTS = {"https": 443, "http": 80}


class GitRemoteError(ExportError):
    """A remote repository that could not be had; says what git said."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token, with the user that it goes by. Git gets it in its environment: arguments are there for all to read."""

    user: str
    token: str

    def __repr__(self) -> str:
        return f"Credential(user={self.user!r})"

    def environment(self, origin: str) -> dict[str, str]:
        """What makes git send it, to this origin alone."""
        pair = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{origin}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {pair}",
        }


@dataclass(frozen=True, slots=True)
class Remote:
    """An address that was found to be public, with the IP that it was found at; made by `remote`."""

    url: str
    origin: str
    pin: str | None = None
    credential: Credential | None = None


async def remote(url: str, allowed: tuple[str, ...], credential: Credential | None = None) -> Remote:
    """Check where an address leads; raises `AddressRefusedError`, or `GitRemoteError` for a name that is not known."""
    from resources.http.address import is_allowed, is_public, origin, web_address
    from resources.http.network import resolved

    parsed = web_address(url)
    port = parsed.port or _PORTS[parsed.scheme]
    if is_allowed(parsed.host, port, allowed):
        return Remote(str(parsed), origin(parsed), None, credential)
    if parsed.scheme != "https":
        raise AddressRefusedError("is not https", where=str(parsed))
    try:
        addresses = await resolved(parsed.host, port)
    except (OSError, UnicodeError) as error:
        raise GitRemoteError(f"the name is not known: {error}", where=str(parsed)) from error
    for address in addresses:
        if not is_public(address):
            raise AddressRefusedError(
                f"is at {address}, which is no public address",
                where=str(parsed),
                mend="If it is yours, name it under collection.http.allowed.",
            )
    pinned = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    # An IP address is not looked up again.
    pin = None if parsed.host in addresses else f"{parsed.host}:{port}:{pinned}"
    return Remote(str(parsed), origin(parsed), pin, credential)


def remote_head(asked: Remote) -> str | None:
    """The commit that HEAD names; None for a repository without one."""
    with tempfile.TemporaryDirectory(prefix="llm-twin-") as temporary:
        output = _run(asked, Path(temporary), _ASK_LIMIT, "ls-remote", "--", asked.url, "HEAD")
    found = (line.split("\t") for line in output.decode(errors="replace").splitlines())
    return next((fields[0] for fields in found if fields[1:] == ["HEAD"]), None)


def clone(asked: Remote, into: Path, max_bytes: int) -> None:
    """A bare copy of HEAD's branch with all of its history; large blobs are left out."""
    _run(
        asked,
        into.parent,
        max_bytes,
        "clone",
        "--bare",
        "--quiet",
        "--single-branch",
        "--no-tags",
        "--template=",
        f"--filter=blob:limit={LARGEST_BLOB}",
        "--",
        asked.url,
        str(into),
    )
    # Without its origin the copy has nowhere to get the blobs that were left out: they are missing, and that is all.
    run_git(into, "config", "--remove-section", "remote.origin")


def _run(asked: Remote, folder: Path, max_bytes: int, *arguments: str) -> bytes:
    config = ["protocol.allow=never", "http.followRedirects=false", "credential.helper=", "core.askPass="]
    config += [f"protocol.{asked.origin.partition(':')[0]}.allow=always", "core.hooksPath=/dev/null"]
    config += ["http.lowSpeedLimit=500", "http.lowSpeedTime=60", "transfer.bundleURI=false"]
    config += [f"http.curloptResolve={asked.pin}"] if asked.pin else []
    command = ["git", *(part for entry in config for part in ("-c", entry)), *arguments]
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(asked, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # git-remote-https is a child of git's: both go when the group does.
            start_new_session=True,
        )
    except FileNotFoundError:
        raise git_is_missing(folder) from None
    output, said = _watched(process, asked, folder, max_bytes)
    if process.returncode:
        raise GitRemoteError(
            f"git {arguments[0]} failed: {last_line(said) or process.returncode}",
            where=asked.url,
            mend="It is tried again at the next visit.",
        )
    return output


def _watched(process: subprocess.Popen[bytes], asked: Remote, folder: Path, max_bytes: int) -> tuple[bytes, bytes]:
    """Wait for git; it is ended when it takes too long, or more room than it may."""
    deadline = time.monotonic() + _TIMEOUT
    try:
        while True:
            try:
                return process.communicate(timeout=_LOOK_EVERY)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    raise GitRemoteError(f"git took more than {_TIMEOUT:.0f} s", where=asked.url) from None
                if _size(folder) > max_bytes:
                    raise GitRemoteError(
                        f"is larger than {max_bytes / 2**20:.0f} MB", where=asked.url, mend="Raise `max_mb`."
                    ) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except OSError:  # a temporary file that git has just renamed
                continue
    return total


def _environment(asked: Remote, home: Path) -> dict[str, str]:
    """Nothing of the machine's: no config, no credentials, no `.netrc`, no proxy that would resolve names once more."""
    environment = {name: value for name, value in os.environ.items() if not _is_left_out(name)}
    environment |= {
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "LC_ALL": "C",
    }
    return environment | (asked.credential.environment(asked.origin) if asked.credential else {})


def _is_left_out(name: str) -> bool:
    return name.startswith(("GIT_", "SSH_", "XDG_")) or name.lower().endswith("_proxy")


def origins_match(api: str, url: str) -> bool:
    """Whether an address is at an API's own host, or at the host that `api.` stands before: its token may go there."""
    from resources.http.address import web_address

    host, other = web_address(api).host, web_address(url).host
    return other in (host, host.removeprefix("api."))
