//! What an article has beyond a message.

use bellwire_markup::Text;

fn html(text: &str) -> String {
    Text::article(text).html().to_string()
}

#[test]
fn lines_flow_into_paragraphs_and_headings_divide_an_article() {
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
fn an_article_in_one_line_reads_on() {
    assert_eq!(
        Text::article("# One\n\ntwo\nthree\n\n---\n\n**four**").plain(100),
        "One two three four"
    );
}

#[test]
fn what_shows_nothing_is_shown_as_it_was_typed() {
    assert_eq!(html("---"), "<p>---</p>");
    assert_eq!(html("#"), "<p>#</p>");
}
