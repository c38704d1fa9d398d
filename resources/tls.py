"""Whom HTTPS trusts, read once: that takes 50 ms of a processor, and httpx does it for every client, HTTP or not."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """httpx's own choice of certificates, `SSL_CERT_FILE` and `SSL_CERT_DIR` included."""
    return httpx.create_ssl_context()
