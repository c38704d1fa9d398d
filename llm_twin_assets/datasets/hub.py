"""A dataset version on a model hub: private unless somebody says otherwise."""

from pathlib import Path

from resources.errors import TwinError

_FILES = ("README.md", "manifest.json", "*.parquet")


class HubError(TwinError):
    """A hub that cannot be reached, refuses, or would show what is private."""


def push(folder: Path, repository: str, message: str, *, public: bool = False, endpoint: str | None = None) -> str:
    """Upload the files of a version to a dataset repository, made if it is not there; returns its address.

    The token is the one that `hf auth login` stored, or `HF_TOKEN`. Raises `HubError`; a repository that is public
    already is refused unless `public` is said.
    """
    # Imported here: it is no matter of loading the command line.
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    api = HfApi(endpoint=endpoint)
    try:
        url = api.create_repo(repository, repo_type="dataset", private=not public, exist_ok=True)
        is_private = api.repo_info(repository, repo_type="dataset").private
        if is_private is not True and not public:
            raise HubError(
                "the repository is public, and the dataset holds the author's texts",
                where=str(url),
                mend="Name a private one, or say --public.",
            )
        api.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(_FILES),
            delete_patterns=list(_FILES),  # of an earlier version
            commit_message=message,
        )
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        mend = "Log in with `hf auth login`, or set HF_TOKEN." if status in (401, 403) else None
        raise HubError(f"the hub refused: {_first_line(error)}", where=repository, mend=mend) from error
    except (HTTPError, HFValidationError, OSError) as error:
        raise HubError(f"cannot be pushed: {_first_line(error)}", where=repository) from error
    return str(url)


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
