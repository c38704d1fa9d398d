"""How an instruction is worded: a handful of ways for each kind and language, one of them picked by hash.

A model that reads one wording a thousand times learns the wording. The same document has the same wording in every
version, whatever else comes.
"""

import hashlib

Wordings = dict[str, tuple[str, ...]]

# What stands between braces is filled in; every wording of a kind takes the same.
_ENGLISH: Wordings = {
    "title_opening": (
        'Write the opening of the article "{title}".',
        'How does your article "{title}" begin?',
        'Begin an article with the title "{title}".',
        'Draft the introduction to "{title}".',
    ),
    "heading_section": (
        'From the article "{title}", write the section "{heading}".',
        'Write the part of "{title}" that is headed "{heading}".',
        'What stands under "{heading}" in your article "{title}"?',
        'In "{title}", fill the section "{heading}".',
    ),
    "outline_section": (
        'An article called "{title}" has this outline:\n\n{outline}\n\nWrite the section "{heading}".',
        'Here are the sections of "{title}":\n\n{outline}\n\nNow write "{heading}".',
        'Given this plan for "{title}", write what belongs under "{heading}".\n\n{outline}',
    ),
    "continuation": (
        'Continue this passage of "{title}":\n\n{before}',
        'Go on with "{title}" from here:\n\n{before}',
        'This is a part of "{title}". What comes next?\n\n{before}',
    ),
    "question": (
        'What do you have to say about "{heading}" in "{title}"?',
        'Tell me about "{heading}", as in your article "{title}".',
        'I am reading "{title}". Can you explain "{heading}" to me?',
    ),
    "topic_post": (
        "Write a post about {topic}.",
        "Post something on {topic}.",
        "What would you post about {topic}?",
        "Draft a short post: {topic}.",
    ),
    "readme_opening": (
        "Introduce the project {repository} as its README does.",
        "Write the beginning of the README of {repository}.",
        "What is {repository}? Answer as its README does.",
    ),
    "readme_section": (
        'Write the section "{heading}" of the README of {repository}.',
        'What does the README of {repository} say under "{heading}"?',
    ),
    "readme_code": (
        'Show the code for "{heading}" from the README of {repository}.',
        'Give the example that the README of {repository} has under "{heading}".',
    ),
    "docstring_code": (
        "Write the {language} {noun} `{name}`: {summary}",
        "Implement `{name}` in {language}. What it is for: {summary}",
        "In {language}, how would you write the {noun} `{name}`? {summary}",
    ),
    "commit": (
        "Make this change to {repository}, as a diff:\n\n{message}",
        "Write the diff of a commit to {repository} with this message:\n\n{message}",
        "In {repository}, what does the commit change that says this?\n\n{message}",
    ),
}
_GERMAN: Wordings = {
    "title_opening": (
        "Schreibe den Anfang des Artikels „{title}“.",
        "Wie beginnt dein Artikel „{title}“?",
        "Beginne einen Artikel mit dem Titel „{title}“.",
    ),
    "heading_section": (
        "Schreibe aus dem Artikel „{title}“ den Abschnitt „{heading}“.",
        "Was steht in deinem Artikel „{title}“ unter „{heading}“?",
    ),
    "outline_section": (
        "Ein Artikel namens „{title}“ hat diese Gliederung:\n\n{outline}\n\nSchreibe den Abschnitt „{heading}“.",
        "Das sind die Abschnitte von „{title}“:\n\n{outline}\n\nSchreibe nun „{heading}“.",
    ),
    "continuation": (
        "Setze diese Stelle aus „{title}“ fort:\n\n{before}",
        "Schreibe „{title}“ von hier an weiter:\n\n{before}",
    ),
    "question": (
        "Was sagst du in „{title}“ zu „{heading}“?",
        "Erzähle mir von „{heading}“, wie in deinem Artikel „{title}“.",
    ),
    "topic_post": (
        "Schreibe einen Beitrag über {topic}.",
        "Was würdest du über {topic} posten?",
        "Entwirf einen kurzen Beitrag: {topic}.",
    ),
}
_FRENCH: Wordings = {
    "title_opening": (
        "Écris le début de l'article « {title} ».",
        "Comment commence ton article « {title} » ?",
        "Commence un article intitulé « {title} ».",
    ),
    "heading_section": (
        "Écris la section « {heading} » de l'article « {title} ».",
        "Que dit ton article « {title} » sous « {heading} » ?",
    ),
    "outline_section": (
        "Un article intitulé « {title} » a ce plan :\n\n{outline}\n\nÉcris la section « {heading} ».",
        "Voici les sections de « {title} » :\n\n{outline}\n\nÉcris maintenant « {heading} ».",
    ),
    "continuation": (
        "Continue ce passage de « {title} » :\n\n{before}",
        "Reprends « {title} » à partir d'ici :\n\n{before}",
    ),
    "question": (
        "Qu'as-tu à dire sur « {heading} » dans « {title} » ?",
        "Parle-moi de « {heading} », comme dans ton article « {title} ».",
    ),
    "topic_post": (
        "Écris une publication sur {topic}.",
        "Que publierais-tu sur {topic} ?",
        "Rédige une courte publication : {topic}.",
    ),
}
_SPANISH: Wordings = {
    "title_opening": (
        "Escribe el comienzo del artículo «{title}».",
        "¿Cómo empieza tu artículo «{title}»?",
        "Empieza un artículo titulado «{title}».",
    ),
    "heading_section": (
        "Escribe la sección «{heading}» del artículo «{title}».",
        "¿Qué dice tu artículo «{title}» en «{heading}»?",
    ),
    "outline_section": (
        "Un artículo titulado «{title}» tiene este esquema:\n\n{outline}\n\nEscribe la sección «{heading}».",
        "Estas son las secciones de «{title}»:\n\n{outline}\n\nEscribe ahora «{heading}».",
    ),
    "continuation": (
        "Continúa este pasaje de «{title}»:\n\n{before}",
        "Sigue con «{title}» desde aquí:\n\n{before}",
    ),
    "question": (
        "¿Qué dices sobre «{heading}» en «{title}»?",
        "Háblame de «{heading}», como en tu artículo «{title}».",
    ),
    "topic_post": (
        "Escribe una publicación sobre {topic}.",
        "¿Qué publicarías sobre {topic}?",
        "Redacta una publicación breve: {topic}.",
    ),
}
_LANGUAGES = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}


def wordings(kind: str, language: str | None, key: str, /, **filled: str) -> tuple[str, ...]:
    """Every wording of an instruction in the document's language, else in English, the one picked by `key` first."""
    ways = _LANGUAGES.get(language or "en", _ENGLISH).get(kind) or _ENGLISH[kind]
    first = pick(f"{kind}\n{key}", len(ways))
    return tuple(way.format_map(filled) for way in (*ways[first:], *ways[:first]))


def pick(key: str, choices: int) -> int:
    """A number below `choices`, decided by the key alone."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big") % choices
