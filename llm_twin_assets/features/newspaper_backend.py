"""newspaper3k as the one who finds the article: given HTML alone, it asks no server and loads no language data."""

from copy import deepcopy

from lxml.html import HtmlElement

from llm_twin_assets.features.html_tree import STUMBLES, serialize
from resources.errors import ConfigurationError

MEND = "Install it: pip install 'llm-twin[newspaper]'."
# newspaper wants an address and would resolve pictures against it; it is never asked.
_NOWHERE = "http://localhost/"


def main_content(page: HtmlElement, language: str | None) -> HtmlElement | None:
    """The article of a page as HTML; None if newspaper finds none. The page is not changed.

    Raises `ConfigurationError` where newspaper3k, which is optional, is not installed.
    """
    try:
        from newspaper.article import Article, ArticleException
        from newspaper.configuration import Configuration
        from newspaper.utils import get_available_languages
    except ImportError as error:
        raise ConfigurationError(f"newspaper3k cannot be used: {error}", mend=MEND) from error

    configuration = Configuration()
    configuration.fetch_images = False
    configuration.follow_meta_refresh = False
    configuration.memoize_articles = False
    # Said rather than left to the page: a language without a list of stop words is an error to newspaper.
    configuration.set_language(language if language in get_available_languages() else "en")
    article = Article(_NOWHERE, config=configuration)
    try:
        article.download(input_html=serialize(page))
        article.parse()
    except (ArticleException, *STUMBLES):
        return None
    if article.clean_top_node is None:
        return None
    top = deepcopy(article.clean_top_node)
    for element in [each for each in top.iterdescendants() if each.get("gravityScore") is not None]:
        if float(element.get("gravityScore") or 0) < 1 and element.getparent() is not None:
            element.drop_tree()
    return top
