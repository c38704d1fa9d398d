"""Pack the sample author's texts into the platforms' export formats: python -m llm_twin_assets.sample.build

Reads text/ and writes exports/: linkedin.zip, medium.zip, substack.zip, the folder notes/ and threadcount.bundle. The
same texts give the same bytes, so a change in exports/ means a change in text/ or in this code.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from llm_twin_assets.sample.archive import write_zip
from llm_twin_assets.sample.git_bundle import read_history, write_bundle
from llm_twin_assets.sample.linkedin_export import linkedin_files
from llm_twin_assets.sample.medium_export import medium_files
from llm_twin_assets.sample.sources import read_article, read_articles, read_comments, read_posts
from llm_twin_assets.sample.substack_export import substack_files

SAMPLE = Path(__file__).parent


def build(text: Path, exports: Path) -> list[str]:
    """Write every export and return the ids of threadcount's commits, oldest first."""
    articles, extras = text / "articles", text / "extras"
    exports.mkdir(parents=True, exist_ok=True)

    posts, comments = read_posts(text / "posts.yaml"), read_comments(text / "comments.yaml")
    write_zip(exports / "linkedin.zip", linkedin_files(posts, comments, read_articles(articles / "linkedin")))

    responses, drafts = [read_article(extras / "medium-response.md")], [read_article(extras / "medium-draft.md")]
    write_zip(exports / "medium.zip", medium_files(read_articles(articles / "medium"), responses, drafts))

    letters = [read_article(extras / "substack-draft.md")]
    write_zip(exports / "substack.zip", substack_files(read_articles(articles / "substack"), letters))

    _copy_notes(articles / "notes", exports / "notes")
    history = read_history(text / "threadcount-history.yaml")
    return write_bundle(text / "threadcount", history, exports / "threadcount.bundle")


def _copy_notes(source: Path, target: Path) -> None:
    """Copy the Markdown files byte for byte; a note that has left the source leaves the copy as well."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in sorted(source.glob("*.md")):
        shutil.copyfile(path, target / path.name)


def main() -> None:
    """Build into the package itself and say what was written."""
    exports = SAMPLE / "exports"
    commits = build(SAMPLE / "text", exports)
    for path in sorted(path for path in exports.rglob("*") if path.is_file()):
        sys.stdout.write(f"{path.stat().st_size:>9,}  {path.relative_to(SAMPLE)}\n")
    sys.stdout.write(f"threadcount: {len(commits)} commits, head {commits[-1]}\n")


if __name__ == "__main__":
    main()
