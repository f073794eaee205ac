"""txt-1 and txt-2: what XHTML a narrative may hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.fhir.invariants.narrative import SIMPLE, is_narrative

OPEN = '<div xmlns="http://www.w3.org/1999/xhtml"'


@pytest.mark.parametrize(
    "inner",
    [
        ">Hello</div>",
        ' xml:lang="es" lang="es"><p>Queremos que duerma sin miedo &amp; sin llanto.</p></div>',
        "><p>one<br/>two<br />three</p></div>",
        '><table class="grid"><tr><td style="color: red">a &lt; b</td></tr></table></div>',
        "><p>on one occasion only = often</p></div>",
        '><a href="https://example.org/a?b=c&amp;d">more</a> <!-- a comment --></div>',
        '><img src="#pic" alt="drawing"/></div>',
        ">&#191;C&#xf3;mo?</div>\n",
    ],
)
def test_formatting_is_welcome(inner: str) -> None:
    assert is_narrative(OPEN + inner)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "<div>Hello</div>",
        OPEN + "> \n </div>",
        OPEN + "/>",
        OPEN + ">Hello",
        OPEN + ">Hello</div><div>more</div>",
        OPEN + "><p>Hello</div></p>",
        OPEN + ">a < b</div>",
        OPEN + ">a & b</div>",
        OPEN + "><script>x</script>hello</div>",
        OPEN + "><iframe/>hello</div>",
        OPEN + '><p onclick="x()">hello</p></div>',
        OPEN + '><a href="javascript:x()">hello</a></div>',
        OPEN + "><p class=grid>hello</p></div>",
        OPEN + "><![CDATA[hello]]></div>",
        '<!DOCTYPE div><div xmlns="http://www.w3.org/1999/xhtml">hello</div>',
        OPEN + "><P>hello</P></div>",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_narrative(text)


@given(st.lists(st.sampled_from(["<p>", "</p>", "<br/>", "a", " ", "&amp;", "&", "<", "ñ", "</div>", '"']), max_size=8))
def test_the_fast_way_takes_nothing_that_the_slow_way_refuses(pieces: list[str]) -> None:
    text = f'{OPEN} xml:lang="es">{"".join(pieces)}</div>'
    fast = re.search(SIMPLE["pattern"], text) and all(re.search(part["pattern"], text) for part in SIMPLE["allOf"])
    assert not fast or is_narrative(text)
