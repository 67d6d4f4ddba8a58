//! Hostile names in mentions. Hostile texts are tested in `bellwire_site::markup`.

use bellwire_site::markup::shows;
use bellwire_testkit::markup::{BITS, check, random_text};

use crate::markup::{Mention, candidates, plain, render};

fn people() -> Vec<Mention> {
    [(7, "Ada"), (8, "\"><script>"), (9, "A <b>\"B")]
        .map(|(user_id, name)| Mention { user_id, name: name.to_owned() })
        .to_vec()
}

#[test]
fn random_texts_with_names_render_as_well_formed_html() {
    let people = people();
    for seed in 0..20_000 {
        let text = random_text(seed << 20);
        let html = render(&text, &people);
        assert_eq!(check(html.as_str()), Ok(()), "{seed}: {text:?}: {}", html.as_str());
        assert!(!shows(&text) || shows(html.as_str()), "{seed}: {text:?}");
    }
}

#[test]
fn names_that_look_like_markup_are_rendered_as_text() {
    for text in [
        "@\"><script> @Ada<img src=x onerror=alert(1)>",
        "@Ada\" onclick=\"alert(1)",
        "@a <b>\"b",
        "**@Ada** ~~@Ada~~",
    ] {
        let html = render(text, &people());
        assert_eq!(check(html.as_str()), Ok(()), "{text:?}: {}", html.as_str());
        assert!(html.as_str().contains("class=\"mention\""), "{text:?}: {}", html.as_str());
    }
}

/// HTML that grows faster than its message would let a small request cause large responses.
#[test]
fn eight_thousand_characters_of_any_kind_have_few_candidates_and_stay_small() {
    for bit in BITS.iter().chain(&["@Ada ", "@Ada\n", "@a <b>\"b "]) {
        let text: String = bit.chars().cycle().take(8_000).collect();
        let html = render(&text, &people());
        assert_eq!(check(html.as_str()), Ok(()), "{bit:?}");
        assert!(html.as_str().len() < 25 * text.len(), "{bit:?}: {}", html.as_str().len());
        assert!(
            candidates(&text).len() <= 480 && plain(&text, 100).chars().count() <= 100,
            "{bit:?}"
        );
    }
}
