//! Who is called, and who is not.

use crate::markup::{Mention, candidates, render};

fn people() -> Vec<Mention> {
    [
        (7, "Ada Lovelace"),
        (8, "Ada"),
        (9, "O'Neill"),
        (10, "👩‍🚀 Sally"),
        (11, "王小明"),
        (12, "A <b>\"B"),
    ]
    .map(|(user_id, name)| Mention { user_id, name: name.to_owned() })
    .to_vec()
}

/// The text, with each mention as `{id name}`.
fn called(text: &str) -> String {
    let html =
        render(text, &people()).as_str().replace("<span class=\"mention\" data-user=\"", "{");
    html.replace("\">@", " ").replace("</span>", "}")
}

#[test]
fn a_name_is_found_in_every_guise_and_shown_as_the_person_has_it() {
    for (text, expected) in [
        ("@Ada", "<p>{8 Ada}</p>"),
        ("hi @ada  LOVELACE, hi", "<p>hi {7 Ada Lovelace}, hi</p>"),
        ("@Ａｄａ", "<p>{8 Ada}</p>"),
        ("@Ada\u{a0}Lovelace!", "<p>{7 Ada Lovelace}!</p>"),
        ("(@Ada) @Ada: @Ada... @Ada's", "<p>({8 Ada}) {8 Ada}: {8 Ada}... {8 Ada}&#39;s</p>"),
        ("@o'neill @O'Brien", "<p>{9 O&#39;Neill} @O&#39;Brien</p>"),
        ("**@Ada**\n@Ada", "<p><strong>{8 Ada}</strong><br>{8 Ada}</p>"),
        ("@👩‍🚀 sally @王小明，好", "<p>{10 👩‍🚀 Sally} {11 王小明}，好</p>"),
        ("@Ada and @Ada", "<p>{8 Ada} and {8 Ada}</p>"),
        (
            "[`a`](mailto:a@b.org)**`a`** @Ada",
            "<p><a href=\"mailto:a@b.org\" rel=\"noopener noreferrer nofollow ugc\"><code>a</code></a><strong><code>a</code></strong> {8 Ada}</p>",
        ),
        ("@a <b>\"b", "<p>{12 A &lt;b&gt;&quot;B}</p>"),
    ] {
        assert_eq!(called(text), expected, "{text}");
    }
}

#[test]
fn nobody_is_called_inside_a_word_or_code_or_a_link() {
    for text in [
        "x@Ada",
        "@@Ada",
        "a**@Ada**",
        "@Adam",
        "@Ada-Marie",
        "@ada.lovelace",
        "@ada@x.org",
        "@ Ada",
        "`@Ada`",
        "```\n@Ada\n```",
        "[@Ada](https://x.org)",
        "https://x.org/@Ada",
        "<ada@x.org>",
        "@Ada\u{301}",
    ] {
        // Emphasis inside a word is text here, so its stars begin a word.
        let calls = called(text).contains('{');
        assert_eq!(calls, text == "a**@Ada**", "{text}: {}", called(text));
    }
}

#[test]
fn candidates_come_longest_first_and_folded() {
    let expected =
        ["ada lovelace, i see", "ada lovelace, i", "ada lovelace,", "ada lovelace", "ada"];
    assert_eq!(candidates("Dear @ADA  Lovelace, I see you"), expected);
    assert_eq!(candidates("@Ada @Ada\n@bob `@eve`"), ["ada", "bob"]);
    assert_eq!(candidates("nobody @ all, a@b.org"), Vec::<String>::new());
}

#[test]
fn everyone_who_is_called_was_a_candidate() {
    for text in
        ["@ada  LOVELACE, hi @O’Neill", "@👩‍🚀 Sally's", "> @王小明\n@Ada", "    @Ada", "<b @Ada>"]
    {
        let all = candidates(text);
        for who in people() {
            let is_called = render(text, &people())
                .as_str()
                .contains(&format!("data-user=\"{}\"", who.user_id));
            let key = bellwire_site::accounts::name_key(&who.name);
            assert!(!is_called || all.contains(&key), "{text}: {key}");
        }
    }
}

#[test]
fn a_message_calls_twenty_and_no_more() {
    let many: String = (0..30).map(|n| format!("@p{n}\n")).collect();
    assert_eq!(candidates(&many).len(), 20);
    assert_eq!(called(&"@Ada\n".repeat(30)).matches('{').count(), 20);
    assert!(candidates(&format!("@{}", "!".repeat(8_000))).len() <= 6);
}
