"""Zip files that come out the same on every machine."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from llm_twin_assets.sample.sources import EXPORTED_AT


def write_zip(path: Path, files: Mapping[str, str]) -> None:
    """Write the files, given as name to text, in the order of their names.

    They are stored without compression: the deflated bytes depend on the zlib at hand, and git packs them anyway.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EXPORTED_AT.timetuple()[:6])
            entry.create_system = 3  # Unix, whatever system builds it
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name].encode("utf-8"))
