"""Which syntax trees are to be had, and what counts as a definition in each."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language

# Bumped wheels may draw other trees: their versions are part of the version of the chunking rules.
PACKAGES = (
    "tree-sitter", "tree-sitter-c", "tree-sitter-cpp", "tree-sitter-go", "tree-sitter-java", "tree-sitter-javascript",
    "tree-sitter-python", "tree-sitter-rust", "tree-sitter-typescript",
)  # fmt: skip
# What stands before a definition and belongs to it.
LEADING = frozenset({"comment", "line_comment", "block_comment", "attribute_item", "decorator", "access_specifier"})


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language's grammar and the kinds of its nodes that matter to chunking.

    `containers` hold definitions and are opened where they are too big; `transparent` ones do, but have no name;
    `wrappers` stand around one definition.
    """

    module: str
    containers: frozenset[str] = frozenset()
    definitions: frozenset[str] = frozenset()
    wrappers: frozenset[str] = frozenset()
    transparent: frozenset[str] = frozenset()
    language: str = "language"

    def defines(self, kind: str) -> bool:
        """Whether a node of that kind is a definition, whatever stands around it."""
        return kind in self.definitions or kind in self.containers or kind in self.wrappers


_C_DEFINITIONS = frozenset({
    "function_definition", "struct_specifier", "union_specifier", "enum_specifier", "type_definition",
    "preproc_function_def",
})  # fmt: skip
_C_TRANSPARENT = frozenset({
    "preproc_ifdef", "preproc_if", "preproc_else", "preproc_elif", "linkage_specification", "declaration_list",
})  # fmt: skip
_JS_CONTAINERS = frozenset({"class_declaration", "class"})
_JS_DEFINITIONS = frozenset({
    "function_declaration", "generator_function_declaration", "method_definition", "lexical_declaration",
    "variable_declaration", "expression_statement",
})  # fmt: skip
_TS_CONTAINERS = _JS_CONTAINERS | {"abstract_class_declaration", "internal_module", "module"}
_TS_DEFINITIONS = _JS_DEFINITIONS | {"interface_declaration", "type_alias_declaration", "enum_declaration"}

_GRAMMARS = {
    "python": Grammar(
        "tree_sitter_python",
        containers=frozenset({"class_definition"}),
        definitions=frozenset({"function_definition"}),
        wrappers=frozenset({"decorated_definition"}),
    ),
    "javascript": Grammar(
        "tree_sitter_javascript", _JS_CONTAINERS, _JS_DEFINITIONS, wrappers=frozenset({"export_statement"})
    ),
    "typescript": Grammar(
        "tree_sitter_typescript",
        _TS_CONTAINERS,
        _TS_DEFINITIONS,
        wrappers=frozenset({"export_statement"}),
        transparent=frozenset({"ambient_declaration"}),
        language="language_typescript",
    ),
    "tsx": Grammar(
        "tree_sitter_typescript",
        _TS_CONTAINERS,
        _TS_DEFINITIONS,
        wrappers=frozenset({"export_statement"}),
        language="language_tsx",
    ),
    "go": Grammar(
        "tree_sitter_go",
        definitions=frozenset({"function_declaration", "method_declaration", "type_declaration"}),
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        containers=frozenset({"impl_item", "trait_item", "mod_item"}),
        definitions=frozenset({"function_item", "struct_item", "enum_item", "union_item", "macro_definition"}),
        transparent=frozenset({"foreign_mod_item"}),
    ),
    "java": Grammar(
        "tree_sitter_java",
        containers=frozenset({
            "class_declaration", "interface_declaration", "enum_declaration", "record_declaration",
            "annotation_type_declaration",
        }),
        definitions=frozenset({"method_declaration", "constructor_declaration", "compact_constructor_declaration"}),
        transparent=frozenset({"enum_body_declarations"}),
    ),
    "c": Grammar("tree_sitter_c", definitions=_C_DEFINITIONS, transparent=_C_TRANSPARENT),
    "cpp": Grammar(
        "tree_sitter_cpp",
        containers=frozenset({"namespace_definition", "class_specifier", "struct_specifier"}),
        definitions=_C_DEFINITIONS | {"concept_definition", "alias_declaration"},
        wrappers=frozenset({"template_declaration"}),
        transparent=_C_TRANSPARENT,
    ),
}  # fmt: skip
_ALIASES = {
    "py": "python", "python3": "python", "js": "javascript", "jsx": "javascript", "ts": "typescript", "golang": "go",
    "rs": "rust", "c++": "cpp", "h": "c", "cc": "cpp", "cxx": "cpp", "hpp": "cpp", "hh": "cpp", "cuda": "cpp",
    "pyi": "python", "mjs": "javascript", "cjs": "javascript", "mts": "typescript", "cts": "typescript", "cu": "cpp",
    "md": "markdown", "mdx": "markdown",
}  # fmt: skip
_SUFFIXES = frozenset({*_GRAMMARS, *_ALIASES})


def language_of(stated: str | None, path: str | None) -> str | None:
    """Our name of a file's language; its suffix decides where none is stated, and what `.tsx` is."""
    suffix = PurePosixPath(path or "").suffix.lstrip(".").lower()
    name = (stated or (suffix if suffix in _SUFFIXES else "")).lower()
    if suffix == "tsx" and name in ("typescript", "tsx"):
        return "tsx"
    if suffix == "h" and name in ("c", "h"):
        return "cpp"  # a header may be either's, and almost all of C is C++
    return _ALIASES.get(name, name) or None


def grammar(language: str | None) -> Grammar | None:
    """What is known of a language, None if nothing is."""
    return _GRAMMARS.get(language or "")


@cache
def tree_sitter_language(known: Grammar) -> "Language":
    """The compiled grammar."""
    # Imported here: compiled grammars are no matter of loading the code location.
    from tree_sitter import Language

    return Language(getattr(import_module(known.module), known.language)())
