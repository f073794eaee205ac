"""FHIRPath expressions: parsed strictly, once, into the tree that fhirpathpy evaluates."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from antlr4 import CommonTokenStream, InputStream  # type: ignore[import-untyped]
from antlr4.error.ErrorListener import ErrorListener  # type: ignore[import-untyped]
from antlr4.error.Errors import RecognitionException  # type: ignore[import-untyped]
from antlr4.tree.Tree import ParseTreeWalker  # type: ignore[import-untyped]
from fhirpathpy.parser.ASTPathListener import ASTPathListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

Node = dict[str, Any]


class NotAnExpression(ValueError):
    """The text is not FHIRPath; says at which column it stops being so."""


class _Strict(ErrorListener):  # type: ignore[misc]
    def syntaxError(self, recognizer: Any, symbol: Any, line: int, column: int, message: str, error: Any) -> None:
        raise NotAnExpression(f"this is not FHIRPath from column {column + 1} on")


@lru_cache(maxsize=16384)
def parse(text: str) -> Node:
    """The syntax tree of an expression. Raises NotAnExpression.

    fhirpathpy's own parser passes over what it cannot read (`a b` is read as `a`), so errors are made errors here, and
    the whole text must be used up. The tree is shared between threads and never changed.
    """
    if not text.strip():
        raise NotAnExpression("there is no expression here")
    strict = _Strict()
    lexer = FHIRPathLexer(InputStream(text))
    lexer.removeErrorListeners()
    lexer.addErrorListener(strict)
    parser: Any = FHIRPathParser(CommonTokenStream(lexer))
    parser.removeErrorListeners()
    parser.addErrorListener(strict)
    listener: Any = ASTPathListener()  # type: ignore[no-untyped-call]
    try:
        whole = parser.entireExpression()
    except RecognitionException:
        raise NotAnExpression("this is not FHIRPath") from None
    ParseTreeWalker().walk(listener, whole.expression())
    root: Node = listener.parentStack[0]
    return root
