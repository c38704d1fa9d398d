"""The programming language that a page states for a code block, in the many ways highlighters write it down."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

_ATTRIBUTES = (
    "data-code-block-lang", "data-lang", "data-language", "data-code-language", "data-programming-language",
    "data-enlighter-language", "data-syntaxhighlighter-params", "language",
)  # fmt: skip
# GitHub writes highlight-source-x, Prism and CommonMark language-x, google-prettify lang-x, WordPress and Confluence
# "brush: x", pandoc "sourceCode x", highlight.js "hljs x", Hexo and Rouge "highlight x".
_STATED = (
    re.compile(
        r"(?:^|\s)(?:(?:language|lang|highlight-source|highlight-text|code-block|src)-|brush:\s*)([A-Za-z][\w+#.-]*)"
    ),
    re.compile(r"(?:^|\s)(?:sourceCode|hljs|highlight|syntaxhighlighter)\s+(?:language-)?([A-Za-z][\w+#]*)(?=\s|$)"),
)
# Sphinx writes "highlight-x", rustdoc and SyntaxHighlighter a bare "x": only a name that is one counts.
_NAME = re.compile(r"(?:^|\s)(?:highlight-)?([A-Za-z][\w+#-]*)(?=\s|$)")
_NAMES = frozenset({
    "apache", "applescript", "asm", "assembly", "awk", "bash", "basic", "batch", "c", "clojure", "cmake", "cobol",
    "coffeescript", "console", "cpp", "csharp", "c++", "c#", "css", "csv", "cuda", "d", "dart", "delphi", "diff",
    "dockerfile", "elixir", "elm", "erlang", "fish", "fortran", "fsharp", "git", "go", "golang", "graphql",
    "groovy", "handlebars", "haskell", "hcl", "html", "http", "ini", "java", "javascript", "jinja", "jq", "js",
    "json", "json5", "jsonc", "jsonnet", "jsx", "julia", "kotlin", "latex", "lean", "less", "lisp", "llvm", "lua",
    "makefile", "markdown", "matlab", "md", "mermaid", "nasm", "nginx", "nim", "nix", "objc", "objective-c",
    "ocaml", "pascal", "perl", "php", "plsql", "postgresql", "powershell", "prolog", "promql", "proto", "protobuf",
    "pycon", "python", "python3", "r", "ruby", "rs", "rust", "sass", "scala", "scheme", "scss", "sh", "shell",
    "shell-session", "solidity", "sql", "svelte", "swift", "systemd", "tcl", "terraform", "toml", "ts", "tsx",
    "typescript", "vala", "vb", "vbnet", "verilog", "vhdl", "vim", "vue", "wasm", "xml", "yaml", "yml", "zig",
    "zsh",
})  # fmt: skip
_NO_LANGUAGE = frozenset(
    {"plaintext", "plain", "text", "txt", "none", "nohighlight", "no-highlight", "auto", "code", "default", "hljs",
     "line-numbers", "undefined", "unknown", "raw", "wrapper", "toolbar", "copy", "block", "inline", "nogutter"}
)  # fmt: skip
_LOCALE = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,4})?")
_AROUND = 6


def code_language(block: HtmlElement) -> str:
    """The language of a code block in lower case, as it or what stands around it says; '' if nothing does."""
    lang = block.get("lang") or ""
    if lang and (not _LOCALE.fullmatch(lang) or lang in _NAMES):
        return str(lang).lower()
    inner = block.find(".//code")
    around = [ancestor for ancestor, _ in zip(block.iterancestors(), range(_AROUND), strict=False)]
    near = [each for each in (inner, block, *around) if each is not None and each.tag not in ("body", "html", "main")]
    names = (name.lower() for element in near for name in _stated(element))
    return next((name for name in names if name not in _NO_LANGUAGE), "")


def _stated(element: HtmlElement) -> Iterator[str]:
    for attribute in _ATTRIBUTES:
        value = element.get(attribute) or ""
        match = re.search(r"(?:^|brush:\s*)([A-Za-z][\w+#.-]*)(?=\s*(?:;|$))", value)
        if match:
            yield match[1]
    classes = " ".join((element.get("class") or "").split())
    for pattern in _STATED:
        yield from pattern.findall(classes)
    yield from (name for name in _NAME.findall(classes) if name.lower() in _NAMES and len(name) > 1)
