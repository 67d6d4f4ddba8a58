//! Texts that mention users, and texts that do not.

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

/// Renders the text with each mention as `{id name}`.
fn mentions_in(text: &str) -> String {
    let html =
        render(text, &people()).as_str().replace("<span class=\"mention\" data-user=\"", "{");
    html.replace("\">@", " ").replace("</span>", "}")
}

#[test]
fn a_name_is_found_in_every_spelling_and_shown_as_the_user_spells_it() {
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
        assert_eq!(mentions_in(text), expected, "{text}");
    }
}

#[test]
fn words_code_and_links_contain_no_mentions() {
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
        // Asterisks inside a word are text here, so the `@` after them begins a word.
        let has_mention = mentions_in(text).contains('{');
        assert_eq!(has_mention, text == "a**@Ada**", "{text}: {}", mentions_in(text));
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
fn everyone_who_is_mentioned_was_a_candidate() {
    for text in
        ["@ada  LOVELACE, hi @O’Neill", "@👩‍🚀 Sally's", "> @王小明\n@Ada", "    @Ada", "<b @Ada>"]
    {
        let all = candidates(text);
        for person in people() {
            let is_mentioned = render(text, &people())
                .as_str()
                .contains(&format!("data-user=\"{}\"", person.user_id));
            let key = bellwire_site::accounts::name_key(&person.name);
            assert!(!is_mentioned || all.contains(&key), "{text}: {key}");
        }
    }
}

#[test]
fn a_message_has_at_most_twenty_mentions() {
    let many: String = (0..30).map(|n| format!("@p{n}\n")).collect();
    assert_eq!(candidates(&many).len(), 20);
    assert_eq!(mentions_in(&"@Ada\n".repeat(30)).matches('{').count(), 20);
    assert!(candidates(&format!("@{}", "!".repeat(8_000))).len() <= 6);
}
