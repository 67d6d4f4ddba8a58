//! Tests of rendering.

use crate::{plain, render};

const LINK: &str = "rel=\"noopener noreferrer nofollow ugc\" target=\"_blank\"";

fn html(text: &str) -> String {
    render(text).as_str().replace(LINK, "_")
}

fn assert_rendered(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(html(text), *expected, "{text:?}");
    }
}

#[test]
fn common_markdown_is_rendered() {
    assert_rendered(&[
        ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
        (
            "**b** *i* ~~s~~ `c<`",
            "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c&lt;</code></p>",
        ),
        ("- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"),
        ("7. a\n8. b", "<ol start=\"7\"><li>a</li><li>b</li></ol>"),
        ("> a\n> b", "<blockquote><p>a<br>b</p></blockquote>"),
        (
            "[a *b*](https://x.org/?a=1&b=2)",
            "<p><a href=\"https://x.org/?a=1&amp;b=2\" _>a <em>b</em></a></p>",
        ),
        (
            "<https://x.org> <a@b.org>",
            "<p><a href=\"https://x.org\" _>https://x.org</a> <a href=\"mailto:a@b.org\" rel=\"noopener noreferrer nofollow ugc\">a@b.org</a></p>",
        ),
        (
            "```Rust\na\n\n  b\n```",
            "<pre tabindex=\"0\"><code data-language=\"rust\">a\n\n  b</code></pre>",
        ),
        ("```\nnever closed", "<pre tabindex=\"0\"><code>never closed</code></pre>"),
    ]);
}

#[test]
fn unsupported_markdown_is_shown_as_something_supported() {
    assert_rendered(&[
        ("# a `b`", "<p><strong>a <code>b</code></strong></p>"),
        ("a\n\n    b **c**\n      d", "<p>a</p><p>b <strong>c</strong><br>d</p>"),
        ("a <b>b</b>", "<p>a &lt;b&gt;b&lt;/b&gt;</p>"),
        ("<div>\n**a**", "<p>&lt;div&gt;<br><strong>a</strong></p>"),
        ("![a](https://x.org/a.png)", "<p><a href=\"https://x.org/a.png\" _>a</a></p>"),
        ("[![a](https://x.org/a.png)](https://x.org)", "<p><a href=\"https://x.org\" _>a</a></p>"),
        ("|a|b|\n|-|-|\n|c|d|", "<p>|a|b|<br>|-|-|<br>|c|d|</p>"),
        ("a[^1]\n\n[^1]: b", "<p>a[^1]</p><p>[^1]: b</p>"),
        ("- [ ] a", "<ul><li>[ ] a</li></ul>"),
        ("a\n\n---\n\nb", "<p>a</p><p>---</p><p>b</p>"),
        ("~5 and 6~", "<p>~5 and 6~</p>"),
        ("~a~", "<p>~a~</p>"),
    ]);
}

#[test]
fn a_reply_follows_its_quotation() {
    assert_rendered(&[
        ("> a\nb\nc", "<blockquote><p>a</p></blockquote><p>b<br>c</p>"),
        (
            "> a\n> b\n\nc\n> d",
            "<blockquote><p>a<br>b</p></blockquote><p>c</p><blockquote><p>d</p></blockquote>",
        ),
    ]);
}

#[test]
fn a_bare_address_is_a_link_without_the_surrounding_punctuation() {
    let link =
        |address: &str| format!("<a href=\"{address}\" _>{address}</a>").replace('&', "&amp;");
    for (text, address) in [
        ("see https://x.org.", "https://x.org"),
        ("(https://x.org/a_(b))", "https://x.org/a_(b)"),
        ("**https://x.org/a**", "https://x.org/a"),
        ("https://x.org/__init__.py, https", "https://x.org/__init__.py"),
        ("https://x.org/*/a* b*", "https://x.org/*/a"),
        ("https://x.org/?a=1&copy;=2", "https://x.org/?a=1&copy;=2"),
        ("http://localhost:8000/a?b#c!", "http://localhost:8000/a?b#c"),
        ("HTTPS://X.org/A", "HTTPS://X.org/A"),
        ("请看https://x.org/你好。谢谢", "https://x.org/你好"),
        ("“https://x.org”", "https://x.org"),
        ("- https://x.org", "https://x.org"),
    ] {
        assert!(html(text).contains(&link(address)), "{text}: {}", html(text));
    }
    assert!(html("www.x.org/a?").contains("<a href=\"http://www.x.org/a\" _>www.x.org/a</a>?"));
    assert!(
        html("mailto:a@b.org!")
            .contains("<a href=\"mailto:a@b.org\" rel=\"noopener noreferrer nofollow ugc\">")
    );
    for none in [
        "http://",
        "https:x.org",
        "xhttp://a.org",
        "x.org",
        "a@b.org",
        "www.",
        "`https://x.org`",
        "mailto:x",
    ] {
        assert!(!html(none).contains("<a"), "{none}: {}", html(none));
    }
}

#[test]
fn no_typed_text_is_lost() {
    for (text, shown) in [
        ("[](http://x.org)", ">http://x.org</a>"),
        ("![\u{200b}](http://x.org)", "http://x.org</a>"),
        ("[a]: http://x.org", "[a]: <a "),
        ("[a]: x\n\n[a]: y\n\n[a][a]", "<p>[a]: x</p><p>[a]: y</p><p>[a][a]</p>"),
        ("<!-- a -->", "&lt;!-- a --&gt;"),
        ("handlers[i](event)", "handlers[i](event)"),
        ("[a](b \"c\")", "[a](b &quot;c&quot;)"),
        ("```let a = 1;\nb\n```", "<pre tabindex=\"0\"><code>let a = 1;\nb</code></pre>"),
        ("***", "<p>***</p>"),
        ("-", "<p>-</p>"),
        ("1.", "<p>1.</p>"),
        ("#", "<p>#</p>"),
        (">", "<p>&gt;</p>"),
        ("```", "<p>```</p>"),
        ("-     -     -     -      x", "x"),
        ("[a", "<p>[a</p>"),
        ("a \\* b &amp; c", "a * b &amp; c"),
    ] {
        assert!(html(text).contains(shown), "{text:?}: {}", html(text));
    }
}

#[test]
fn scripts_and_emoji_stay_unchanged() {
    for text in [
        "👩‍🚀🏽",
        "مرحبا بالعالم",
        "\u{2067}אבג\u{2069} a",
        "می‌خواهم",
        "e\u{301}",
        "a\u{200b}b",
        "🇨🇭",
    ] {
        assert_eq!(html(text), format!("<p>{text}</p>"));
        assert_eq!(plain(text, 100), text);
    }
}

#[test]
fn an_excerpt_has_no_markup_and_respects_its_length() {
    for (text, chars, expected) in [
        ("**a**\n> b `c`\n\n- d\n- [e](http://x.org)", 100, "a b c d e"),
        ("```rust\nlet a;\n```", 100, "let a;"),
        ("one two three", 8, "one two…"),
        ("one two three", 13, "one two three"),
        ("a🏽🏽🏽", 3, "a🏽…"),
        ("ab👩‍🚀c", 4, "ab…"),
        ("abe\u{301}c", 4, "ab…"),
        ("\u{301}\u{301}\u{301}\u{301}", 3, "\u{301}\u{301}…"),
        ("[](http://x.org)", 100, "http://x.org"),
        ("---", 100, "---"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ] {
        assert_eq!(plain(text, chars), expected, "{text:?}");
        assert!(plain(text, chars).chars().count() <= chars);
    }
}

#[test]
fn deep_nesting_is_rendered_at_the_maximum_depth() {
    for text in
        [">".repeat(500) + "a", "- ".repeat(500) + "a", "*a ".repeat(500) + &"*".repeat(500)]
    {
        let html = html(&text);
        let depth = html.split('<').skip(1).fold((0i32, 0), |(now, most), tag| {
            let now = now + if tag.starts_with('/') { -1 } else { 1 };
            (now, most.max(now))
        });
        assert!(depth.1 <= 20 && html.contains('a'), "{} deep", depth.1);
    }
}
