"""Flags say what is doubtful about a text, in any language, and leave good texts alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.quality import quality_flags

ARTICLE, POST, CODE = Category.ARTICLE, Category.POST, Category.CODE
SENTENCES = [
    f"The {word} engine weaves algebraic patterns, just as a loom of {word} kind weaves flowers."
    for word in ("first", "second", "third", "fourth", "old", "new", "great", "small", "French", "last")
]
PROSE = " ".join(SENTENCES)
LINKS = "\n".join(f"- [{name}](https://example.org/{name})" for name in ("loom", "cards", "engine", "mill", "store"))
FENCE = "```python\n" + "x = weave(loom)\n" * 80 + "```"


@pytest.mark.parametrize(
    ("category", "text", "flags"),
    [
        (ARTICLE, "Soon more.", ("short",)),
        (POST, "Ship it!", ("short",)),
        (CODE, "import x\n", ("short",)),
        (ARTICLE, f"See:\n\n{LINKS}\n{LINKS}\n{LINKS}\n{LINKS}\n{LINKS}\n", ("mostly_links",)),
        (ARTICLE, f"{PROSE}\n\n{FENCE}\n\n{FENCE}\n\n{FENCE}", ("mostly_code",)),
        (ARTICLE, PROSE.replace("e", "\ufffd"), ("encoding_damage",)),
        (ARTICLE, f"{PROSE} It’s “so” naïve – café…".encode().decode("cp1252", "replace"), ("encoding_damage",)),
        (ARTICLE, "\n".join(SENTENCES[:3] * 6), ("repetitive",)),
        (ARTICLE, "buy looms " * 60, ("repetitive",)),
        (ARTICLE, PROSE.upper(), ("all_caps",)),
        (ARTICLE, " ".join(f"{n} | {n * 7} | {n * 13}" for n in range(80)), ("not_prose",)),
        (POST, "🎉🎉🎉 🚀 🚀 ❤️ 🔥", ("not_prose",)),
        (CODE, "var x=" + "1234567890," * 200, ("machine_text", "short")),
        (CODE, "x = 1\n" + "\x00\x01\x02\x03 a b c d e\n", ("encoding_damage",)),
    ],
)
def test_what_is_doubtful_is_named(category, text, flags):
    assert quality_flags(text, category) == flags


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        f"{PROSE}\n\n{FENCE}",
        f"{PROSE}\n\nUTF-8 read wrongly looks like `â€™` and `Ã©`, and what is lost like `\ufffd\ufffd\ufffd`.",
        "解析機関は、ジャカード織機が花や葉を織るのと同じように、代数の模様を織る。" * 3
        + "カードは二種類ある。操作カードと変数カードだ。" * 2,
        "विश्लेषणात्मक इंजन बीजगणितीय पैटर्न बुनता है, जैसे करघा फूल और पत्तियाँ बुनता है। " * 2 + "कार्ड दो प्रकार के होते हैं। " * 5,
        "המנוע האנליטי אורג דפוסים אלגבריים כפי שהנול אורג פרחים ועלים. הכרטיסים נשמרים בנפרד, וזו כל הנקודה. " * 4,
        "กลไกวิเคราะห์ทอลวดลายพีชคณิตเหมือนกับที่เครื่องทอผ้าทอดอกไม้และใบไม้ " * 4 + "การ์ดมีสองชนิด แยกกันเก็บ " * 2,
        "NÃO É ASSIM que a máquina tece padrões. " + PROSE,
    ],
)
def test_a_good_article_has_no_flag_in_any_script(text):
    assert quality_flags(text, ARTICLE) == ()


def test_good_code_and_good_posts_have_no_flag():
    assert quality_flags("def weave(loom):\n    return loom.weave(cards)\n", CODE) == ()
    assert quality_flags("Shipped the loom today, and it works 🎉\n\n#weaving", POST) == ()


@given(st.text(max_size=2_000), st.sampled_from(Category))
def test_any_text_has_flags_in_order_each_once(text, category):
    flags = quality_flags(text, category)
    assert list(flags) == sorted(set(flags))
