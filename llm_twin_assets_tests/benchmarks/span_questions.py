"""Questions on the sample author's articles and code, each with the passage that answers it, word for word."""

from importlib.resources import files
from pathlib import Path

Labelled = tuple[str, str, tuple[tuple[int, int], ...]]

_EXPORTS = "articles/medium/2025-01-21-why-an-llm-twin-starts-with-your-exports.md"
_CLEANING = "articles/medium/2025-04-08-cleaning-that-does-not-destroy.md"
_CHUNKS = "articles/medium/2025-09-16-chunk-by-headings-and-keep-spans-you-can-check.md"
_FUSION = "articles/medium/2025-12-02-why-bm25-and-embeddings-disagree.md"

# Question, document, and how the passage begins and ends.
_QUESTIONS = (
    ("How many of the LinkedIn shares were really the author's own?", _EXPORTS,
     "- **LinkedIn:** a CSV of shares", "which leaves 315 that are mine."),
    ("Why did the scraper miss nine of the articles?", _EXPORTS,
     "Seven of the missing nine sat below", "however patient it was."),
    ("Which files of an export should not be used for training, and where did they go?", _EXPORTS,
     "My LinkedIn archive held 31 files", "the training job can't see."),
    ("Why were drafts left out?", _EXPORTS, "I left the 14 drafts out", "I hadn't decided to say."),
    ("How does one iterate over the pages in a ZIP with a hash of each?", _EXPORTS,
     "import hashlib\nimport zipfile", "raw).hexdigest(), raw"),
    ("How long may a company take to answer a request for personal data?", _EXPORTS,
     "Article 12 sets one month", "two more for difficult cases."),
    ("What happened to contractions when punctuation was removed?", _CLEANING,
     "1. **Apostrophes.** There were 1,287", "anything but a stray letter."),
    ("Which invisible characters were deleted from the text?", _CLEANING,
     "I removed zero-width spaces", "a single newline."),
    ("Why is NFKC normalisation too aggressive?", _CLEANING, "NFKC goes further, and too far for me.",
     "should keep its squares."),
    ("Code that cleans the prose but not what is inside of code fences", _CLEANING,
     "FENCE = re.compile(", 'return "".join(parts)'),
    ("Why must trailing spaces at line ends be kept?", _CLEANING, "And I don't strip spaces at the ends of lines",
     "a poem about a loom."),
    ("How should search deal with curly and straight apostrophes?", _CLEANING, "The answer is to keep two texts.",
     "whenever I change my mind."),
    ("How many chunks began in the middle of a word?", _CHUNKS, "My 79 articles had made 452 chunks",
     "middle of a word."),
    ("How many word pieces does the embedding model read before it cuts off?", _CHUNKS,
     "I use all-MiniLM-L6-v2, which by default", "from the middle onwards."),
    ("What goes wrong with comments in Python listings when cutting at headings?", _CHUNKS,
     "My first version split one page into 31 sections.", "before it believes in a heading."),
    ("Which checks prove that no text was lost between chunks?", _CHUNKS, "1. The first span starts at 0",
     "`page[start:end] == chunk.text`."),
    ("Why do emoji shift highlighted citations in a browser?", _CHUNKS, "If the server computes spans in Python",
     "too far to the left."),
    ("What is put in front of a section before it is embedded?", _CHUNKS, "I put the title of the page",
     "that together with the section."),
    ("When does the job vinga run?", _FUSION, "There it was in first place: 02:40", "every night but Sunday."),
    ("How does term frequency saturation work in BM25?", _FUSION, "Repetition also saturates:",
     "less than twice as much as one."),
    ("Why does min-max scaling of scores fail?", _FUSION, "I scaled each list to run from 0 to 1.",
     "with a hat on."),
    ("An implementation of reciprocal rank fusion", _FUSION, "def rrf(rankings, k=60):", "(-score[c], c))"),
    ("What is the score of a chunk that is third in both lists?", _FUSION, "B is third in both",
     "2/63 = 0.0317."),
    ("What can rank fusion not do?", _FUSION, "- It discards the margin.", "Fuse things that differ."),
)  # fmt: skip


def own_questions() -> tuple[Path, list[Labelled]]:
    """The folder of the texts, and the questions with their spans in it."""
    folder = Path(str(files("llm_twin_assets.sample").joinpath("text")))
    return folder, [(question, name, (_span(folder / name, *ends),)) for question, name, *ends in _QUESTIONS]


def _span(file: Path, first: str, last: str) -> tuple[int, int]:
    text = file.read_bytes().decode()
    start = text.index(first)
    return start, text.index(last, start) + len(last)
