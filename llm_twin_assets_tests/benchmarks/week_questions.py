"""Invented questions for a week of traffic, by subject: on what an author wrote about, and on what they did not."""

_THINGS = {
    "retrieval": ("reciprocal rank fusion", "BM25 beside embeddings", "a vector index", "chunk size", "a cross-encoder",
                  "query rewriting", "approximate nearest neighbours", "recall at ten"),
    "weaving": ("the warp of a loom", "forty heddles", "a twill of linen", "the tension of threads", "a broken shuttle",
                "natural dyes", "a selvedge that draws in", "counting threads"),
    "databases": ("a MERGE in Delta Lake", "write-ahead logs", "an index that is not used", "isolation levels",
                  "time travel in a table", "deadlocks", "partitioning by author", "vacuuming old files"),
    "bread": ("a rye starter", "a long cold rise", "a dark crust", "wet dough", "steam in the oven", "salt in dough",
              "scoring a loaf", "flour of last year"),
    "evaluation": ("a held-out test set", "leakage between splits", "bits per byte", "a paired bootstrap",
                   "a judge model's bias", "small samples", "perplexity", "a regression gate"),
    "sailing": ("a reef in strong wind", "the tide tables", "anchoring in mud", "a night watch", "a chafed sheet",
                "reading a barograph", "crossing shipping lanes", "a leaking hatch"),
    "python": ("a frozen dataclass", "import cycles", "typed dictionaries", "a context manager", "property-based tests",
               "wheels and lock files", "async generators", "profiling imports"),
    "archives": ("letters in boxes", "photographing diaries", "faded ink", "a finding aid", "acid-free folders",
                 "provenance of a map", "handwriting of 1870", "a lost register"),
}  # fmt: skip
_STRANGE = (
    "income tax on shares",
    "a mortgage at a fixed rate",
    "the price of gold",
    "a pension fund",
    "inheritance tax",
    "short selling",
    "a currency hedge",
    "municipal bonds",
)
_ASKED = (
    "What did you learn about {}?",
    "How do you deal with {}?",
    "Why does {} matter?",
    "What goes wrong with {}?",
    "When is {} worth the trouble?",
    "Is there a simpler way than {}?",
)
_WROTE = (
    "What I learnt about {}: measure before you change anything, and write down what you saw.",
    "Twice I had trouble with {}. The second time I knew where to look.",
    "People ask me about {} more than about anything else.",
)

QUESTIONS = tuple([asked.format(thing) for thing in things for asked in _ASKED] for things in _THINGS.values())
UNKNOWN = [asked.format(thing) for thing in _STRANGE for asked in _ASKED]
WRITTEN = [wrote.format(thing) for things in _THINGS.values() for thing in things for wrote in _WROTE]
