"""`twin up`: every server of the Procfile, in one terminal."""

import subprocess
import sys
from pathlib import Path

from llm_twin_assets.commands.console import PROGRESS
from llm_twin_assets.commands.processes import server_environment
from llm_twin_assets.commands.servers import addresses
from llm_twin_assets.instance import end_killed_runs, open_instance
from resources.errors import ConfigurationError
from resources.settings import Environment, Settings


def up(environment: Environment) -> int:
    """Start all and stay until Ctrl-C, which stops all; returns the exit code."""
    procfile = Path("Procfile").resolve()
    if not procfile.is_file():
        raise ConfigurationError("there is no Procfile here", where=str(Path.cwd()), mend="Go to the project's folder.")
    Settings.load(environment.config)
    end_killed_runs(open_instance(environment), environment)
    for name, address in addresses(environment).items():
        PROGRESS.print(f"{name:<8} {address}")
    PROGRESS.print("[dim]Ctrl-C stops all.[/]")
    command = [sys.executable, "-m", "honcho", "--procfile", str(procfile), "start"]
    process = subprocess.Popen(command, env=server_environment(environment))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # honcho has it too, and stops its children; wait for that
            continue
