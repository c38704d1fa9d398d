import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.scrub import scrub

ALL = ("secrets", "email")
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"a\n{KEY}\nb", "a\n[secret]\nb"),
        ("id = 'AKIAIOSFODNN7EXAMPLE'", "id = '[secret]'"),
        (f"aws_secret_access_key = {'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'}", "aws_secret_access_key = [secret]"),
        (f"token: ghp_{'a1B2' * 9}", "token: [secret]"),
        (f"sk-proj-{'aB3_' * 12}", "[secret]"),
        ("xoxb-123456789012-abcdefABCDEF", "[secret]"),
        ("postgres://maya:hunter2@db.local:5432/x", "postgres://maya:[secret]@db.local:5432/x"),
        ("redis://:hunter2@db", "redis://:[secret]@db"),
        ("mail me at maya.l+x@mail.example.com.", "mail me at [email]."),
        ('<a href="mailto:a@b.se">', '<a href="mailto:[email]">'),
        ("Co-authored-by: M <m@users.noreply.github.com>", "Co-authored-by: M <[email]>"),
    ],
)
def test_secrets_and_addresses_are_replaced(text: str, clean: str) -> None:
    scrubbed = scrub(text, ALL)
    assert scrubbed.text == clean
    assert scrubbed.counts.total() == 1


@pytest.mark.parametrize(
    "text",
    [
        'url = f"postgresql://{user}:{password}@{host}/db"',
        "url: postgres://$USER:$PASSWORD@host/db",
        "git clone git@github.com:maya/loom.git",
        "ssh root@server.example.com",
        "y = q @ k.T; z = x@self.weight; w = x@W.to(device)",
        "@dataclass\n@app.get('/x')",
        "https://medium.com/@maya and https://mastodon.social/@maya@fosstodon.org",
        "uses: actions/checkout@v4.io",
        "npm i left-pad@1.3.0",
        "image@2x.png",
        "sk-learn and sk-this-is-a-css-class-name-without-any-number",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
    ],
)
def test_code_and_prose_stay_as_they_are(text: str) -> None:
    assert scrub(text, ALL).text == text


def test_only_the_kinds_asked_for() -> None:
    text = "a@b.se AKIAIOSFODNN7EXAMPLE"
    assert scrub(text, ("email",)).text == "[email] AKIAIOSFODNN7EXAMPLE"
    assert scrub(text, ("secrets",)).text == "a@b.se [secret]"
    assert scrub(text, ()).text == text


@given(st.text())
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = scrub(text, ALL).text
    assert scrub(once, ALL).text == once
