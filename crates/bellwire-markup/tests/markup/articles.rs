//! Tests of articles: headings, rules and paragraphs.

use bellwire_markup::Text;

fn html(text: &str) -> String {
    Text::article(text).html().to_string()
}

#[test]
fn lines_join_into_paragraphs_and_headings_are_rendered() {
    for (text, expected) in [
        ("a\nb\n\nc", "<p>a b</p><p>c</p>"),
        ("a\\\nb  \nc", "<p>a<br>b<br>c</p>"),
        (
            "# a\n\n## b *c*\n\n### d\n\n#### e\n\n###### f",
            "<h2>a</h2><h2>b <em>c</em></h2><h3>d</h3><h4>e</h4><h4>f</h4>",
        ),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        ("> a\n> b", "<blockquote><p>a b</p></blockquote>"),
        ("- # a\n- b", "<ul><li><h2>a</h2></li><li>b</li></ul>"),
    ] {
        assert_eq!(html(text), expected, "{text:?}");
    }
}

#[test]
fn an_article_as_one_line_contains_its_whole_text() {
    assert_eq!(
        Text::article("# One\n\ntwo\nthree\n\n---\n\n**four**").plain(100),
        "One two three four"
    );
}

#[test]
fn invisible_markup_is_shown_as_it_was_typed() {
    assert_eq!(html("---"), "<p>---</p>");
    assert_eq!(html("#"), "<p>#</p>");
}
