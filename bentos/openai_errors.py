"""Errors in the shape that OpenAI's clients read, on the paths where they ask."""

_PATHS = ("/v1/chat/", "/v1/models", "/v1/embeddings")

# Ours to theirs: 422 is 400 there, and what went wrong is told by `code`, which clients compare.
_CODES = {"unauthorized": "invalid_api_key", "unknown_author": "model_not_found", "rate_limited": "rate_limit_exceeded"}


def speaks(path: str) -> bool:
    """Whether a path is one of OpenAI's."""
    return path.startswith(_PATHS)


def body(status: int, kind: str, message: str, param: str | None) -> tuple[int, dict[str, object]]:
    """Status and body for OpenAI's clients."""
    status = 400 if status == 422 else status
    said = {"message": message, "type": _type(status), "param": param, "code": _CODES.get(kind, kind)}
    return status, {"error": said}


def _type(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"
