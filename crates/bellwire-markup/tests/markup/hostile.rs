//! Tests of hostile input.

use bellwire_markup::{Text, shows};
use bellwire_testkit::markup::{BITS, check, random_text};

use crate::{plain, render};

#[test]
fn hostile_input_becomes_no_markup() {
    for text in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<IMG SRC=\"javascript:alert('XSS');\">",
        "<svg/onload=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<div hx-get=\"/accounts/\" hx-trigger=load bw-x data-controller=x style=\"x\" id=main class=x>",
        "<p hx-on:load=\"alert(1)\">",
        "<!--><img src=x onerror=alert(1)>-->",
        "<![CDATA[<img src=x onerror=alert(1)>]]>",
        "<?xml version=\"1.0\"?><x onload=alert(1)>",
        "<plaintext><xmp><textarea></textarea><img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java&#10;script:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](<java\nscript:alert(1)>)",
        "[x](&#106;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](\u{1}javascript:alert(1))",
        "[x](\u{a0}javascript:alert(1))",
        "[x]( javascript:alert(1))",
        "[x](javascript://x.org/%0aalert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox(1))",
        "[x](file:///etc/passwd)",
        "[x](blob:https://x.org/1)",
        "[x](//evil.org)",
        "[x](https:evil.org)",
        "[x](https:/evil.org)",
        "[x](https:\\\\evil.org)",
        "[x](/accounts/sign-out)",
        "[x](#main)",
        "[x](?a)",
        "[x](http://)",
        "[x](https://x.org\"onmouseover=\"alert(1))",
        "[x](<https://x.org\" onmouseover=\"alert(1)>)",
        "[x](https://x.org \"title\\\" onmouseover=alert(1)\")",
        "[x](https://x.org 'a\"><img src=x onerror=alert(1)>')",
        "![x](javascript:alert(1))",
        "![\"onerror=alert(1)](https://x.org/\"onerror=alert(1))",
        "![<img src=x onerror=alert(1)>](https://x.org)",
        "<javascript:alert(1)>",
        "<data:text/html,x>",
        "<JAVASCRIPT:alert(1)>",
        "<x\"onclick=alert(1)@x.org>",
        "[x]\n\n[x]: javascript:alert(1)",
        "[x][y]\n\n[y]: <javascript:alert(1)> \"x\"",
        "![x]\n\n[x]: data:text/html,x",
        "[a](https://x.org [b](javascript:alert(1)) c)",
        "[a](b](c](javascript:alert(1))",
        "[[a](https://x.org)](https://y.org)",
        "[![a](https://x.org)](javascript:alert(1))",
        "![a [b](https://x.org)](https://y.org)",
        "](](](https://x.org",
        "[x](https://x.org/<script>)",
        "https://x.org/\"onmouseover=\"alert(1)",
        "https://x.org/'onmouseover='alert(1)",
        "https://x.org/<script>alert(1)</script>",
        "https://x.org/&quot;onclick=&quot;",
        "javascript:alert(1)",
        "www.\"onclick=alert(1)",
        "mailto:a@b?subject=\"><script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#60;script&#62;",
        "&amp;lt;script>",
        "\\<script>alert(1)\\</script>",
        "`<script>`",
        "```\n<script>\n",
        "```\"onclick=alert(1)\n```",
        "```html\"><script>alert(1)</script>\nx\n```",
        "~~~a&quot;b\nx",
        "    <script>alert(1)</script>",
        "> <script>\n<img src=x onerror=alert(1)>",
        "- <script>\n\n  <img src=x onerror=alert(1)>",
        "1. a\n\n       <style>",
        "# <script>",
        "# x {#id .class onclick=alert(1)}",
        "| a |\n|---|\n| <script> |",
        "**<b>*<i>**</b>*",
        "@\"><script> @Ada<img src=x onerror=alert(1)>",
        "@Ada\" onclick=\"alert(1)",
        "$$x$$ [[wiki]] :smile: ^a^",
        "\u{0}<\u{0}script\u{0}>",
        "\u{feff}<script>",
        "<scr\u{0}ipt>",
        "<a\nhref=\"javascript:alert(1)\"\n>x</a\n>",
    ] {
        let html = render(text);
        assert_eq!(check(html.as_str()), Ok(()), "{text:?}: {}", html.as_str());
        let article = Text::article(text).html();
        assert_eq!(check(article.as_str()), Ok(()), "{text:?}: {}", article.as_str());
        assert!(!html.as_str().is_empty(), "{text:?}");
    }
}

#[test]
fn a_refused_link_is_shown_as_it_was_typed() {
    for text in [
        "[x](javascript:alert(1))",
        "[x](//evil.org)",
        "[x](JAVA&Tab;SCRIPT:x)",
        "![x](a.png)",
        "[x](https:evil.org)",
    ] {
        let html = render(text);
        assert!(
            !html.as_str().contains("<a") && html.as_str().contains("[x]("),
            "{}",
            html.as_str()
        );
    }
    assert_eq!(render("<javascript:alert(1)>").as_str(), "<p>&lt;javascript:alert(1)&gt;</p>");
}

#[test]
fn random_texts_become_valid_html() {
    for seed in 0..20_000 {
        let text = random_text(seed << 20);
        let html = render(&text);
        assert_eq!(check(html.as_str()), Ok(()), "{seed}: {text:?}: {}", html.as_str());
        let article = Text::article(&text).html();
        assert_eq!(check(article.as_str()), Ok(()), "{seed}: {text:?}: {}", article.as_str());
        assert!(!shows(&text) || shows(article.as_str()), "{seed}: {text:?}");
        assert!(!shows(&text) || shows(html.as_str()), "{seed}: {text:?}");
        assert!(plain(&text, 20).chars().count() <= 20, "{seed}: {text:?}");
    }
}

/// HTML that grew much faster than its source would be an amplification attack.
#[test]
fn eight_thousand_characters_of_any_kind_stay_small() {
    for bit in BITS.iter().chain(&[
        "> \n",
        ">a\nb\n",
        "http://(",
        "mailto:a(",
        "*a ",
        "[a]: http://x/\n\n[a]",
        "www.a.b ",
        "a\n-\n",
        "-     ",
        "\n    a\n\n",
    ]) {
        let text: String = bit.chars().cycle().take(8_000).collect();
        let html = render(&text);
        assert_eq!(check(html.as_str()), Ok(()), "{bit:?}");
        assert!(html.as_str().len() < 25 * text.len(), "{bit:?}: {}", html.as_str().len());
        assert!(plain(&text, 100).chars().count() <= 100, "{bit:?}");
    }
}
