"""`twin demo`: the whole road once, on the sample author, ending in three answers."""

import sys
import time
from contextlib import ExitStack

from llm_twin_assets.commands import ask as asking
from llm_twin_assets.commands.console import OUT, PROGRESS
from llm_twin_assets.commands.decide import candidate_version, decide, deploy, objects
from llm_twin_assets.commands.processes import answers, free_port, server, server_environment
from llm_twin_assets.commands.run import RunFailedError, run_author
from llm_twin_assets.release.records import current_release, find_verdict
from resources.settings import Environment, Settings

AUTHOR = "maya"
QUESTIONS = (
    "Why should documents be split before samples are generated?",
    "How does reciprocal rank fusion settle it when BM25 and embeddings disagree?",
    "What happens when someone asks to be forgotten?",
)


def demo(environment: Environment) -> None:
    """Run the graph, approve in the demo's name, start the service, ask, and stop what was started."""
    started = time.monotonic()
    author = Settings.load(environment.config).author(AUTHOR)
    OUT.print(f"[bold]1. From {author.name}'s exports to an evaluated candidate[/]")
    serving = current_release(objects(environment), AUTHOR)
    try:
        run_author(AUTHOR, environment)
    except RunFailedError as error:
        if serving is None:
            raise
        OUT.print(f"[yellow]{error.what}[/]\nSo nothing changes: release {serving.release_id} goes on serving.")
    else:
        OUT.print("\n[bold]2. A person's yes[/]")
        _approve_once(environment)

    OUT.print("\n[bold]3. Three questions over HTTP[/]")
    with ExitStack() as servers:
        url = _serve(environment, servers)
        for question in QUESTIONS:
            OUT.print(f"\n[bold cyan]{question}[/]")
            asking.show(asking.ask(question, AUTHOR, url))
    OUT.print(_NEXT.format(seconds=time.monotonic() - started, home=environment.home))


def _approve_once(environment: Environment) -> None:
    version = candidate_version(AUTHOR, environment)
    store = objects(environment)
    verdict = find_verdict(store, AUTHOR, version)
    if verdict:
        OUT.print(f"The gate says: {verdict.reason}.")
    release = current_release(store, AUTHOR)
    if release is None or release.model_version != version:
        OUT.print("In your own project this is where everything waits for you. The demo approves in your place now:")
        OUT.print(f"[dim]$ twin approve --author {AUTHOR} --approver 'make demo' --reason 'demonstration'[/]")
        decide("approve_model", AUTHOR, version, "make demo", "demonstration", environment)
    release = deploy(AUTHOR, environment)
    OUT.print(f"Serving: release {release.release_id}, model version {release.model_version}, {release.snapshot}.")


def _serve(environment: Environment, servers: ExitStack) -> str:
    """The address of a service: the one that runs already, or one of our own with Phoenix beside it."""
    if answers(f"{environment.service_url}/v1/releases/current?author={AUTHOR}"):
        OUT.print(f"[dim]The service at {environment.service_url} runs already.[/]")
        return environment.service_url
    port, phoenix = free_port(8000), free_port(6006)
    variables = server_environment(environment, phoenix_port=phoenix, phoenix_grpc_port=free_port(4317))
    logs = environment.local("logs")
    logs.mkdir(parents=True, exist_ok=True)
    with PROGRESS.status("starting Phoenix and the service"):
        command = [sys.executable, "-m", "phoenix.server.main", "serve"]
        servers.enter_context(
            server("Phoenix", command, f"http://127.0.0.1:{phoenix}/healthz", variables, logs / "phoenix.log")
        )
        command = ["bentoml", "serve", "bentos.service:Twin", "--host", "127.0.0.1", "--port", str(port)]
        servers.enter_context(
            server("the service", command, f"http://127.0.0.1:{port}/readyz", variables, logs / "service.log")
        )
    return f"http://127.0.0.1:{port}"


_NEXT = """
[bold]Done in {seconds:.0f} s; everything that was started is stopped.[/] Where to look next:
  make up            Dagster at http://127.0.0.1:3000 (assets, lineage, report), service at :8000,
                     Phoenix at :6006 (the traces of the answers above), MLflow at :5000
  twin ask "…"       your own question, while `make up` runs
  twin search "…"    what retrieval finds, and why
  twin.yaml          put yourself beside Maya: name, exports; then `twin run --author you`
  [dim]All data lies in {home}.[/]"""
