//! A checker for the actions that pages name: each `bw-send`, `bw-click` and `bw-change`, and each
//! field of its form, must be one that the consumer reads.

use std::collections::BTreeSet;

use bellwire_site::bellwire::ActionSpec;
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

use crate::Client;

/// The attributes that name an action.
const NAMED_BY: [&str; 3] = ["bw-send", "bw-click", "bw-change"];
const NAMED: &str = "[bw-send], [bw-click], [bw-change]";

/// Lists what a page asks for and the consumer does not know: names of actions that are not in
/// `specs`, and fields of forms and of `bw-data` that their action does not have.
///
/// ```
/// use bellwire_site::bellwire::ActionSpec;
/// use bellwire_testkit::unknown_actions;
///
/// let say = [ActionSpec { name: "Say", fields: &["text", "client_id"] }];
/// let page = "<form bw-send=Say><input name=text><input name=colour></form><a bw-click=Shout>!</a>";
/// assert_eq!(unknown_actions(page, &say), ["Say has no field `colour`", "no action `Shout`"]);
/// ```
pub fn unknown_actions(page: &str, specs: &[ActionSpec]) -> Vec<String> {
    let page = Html::parse_document(page);
    page.select(&selector(NAMED)).flat_map(|element| problems(element, specs)).collect()
}

/// Opens the page at `start` and all pages below it that links lead to, and checks each with
/// [`unknown_actions`]. `consumers` has the path of each `bw-connect`, without a query, and the
/// actions that its consumer reads.
///
/// # Panics
/// If a page names what its consumer does not know, or no page names an action.
pub async fn check_actions(client: &mut Client, start: &str, consumers: &[(&str, &[ActionSpec])]) {
    let mut found = BTreeSet::from([start.to_owned()]);
    let mut pages = vec![start.to_owned()];
    let (mut named, mut problems) = (0, Vec::new());
    while let Some(path) = pages.pop() {
        let page = client.get(&path).await.text;
        let (names, unknown) = check_page(&page, consumers);
        named += names;
        problems.extend(unknown.into_iter().map(|problem| format!("{path}: {problem}")));
        let below = links(&page).into_iter().filter(|link| link.starts_with(start));
        pages.extend(below.filter(|link| found.insert(link.clone())));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    assert!(named > 0, "no page below {start} names an action");
}

/// The number of elements that name an action, and their problems.
fn check_page(page: &str, consumers: &[(&str, &[ActionSpec])]) -> (usize, Vec<String>) {
    let html = Html::parse_document(page);
    let named = html.select(&selector(NAMED)).count();
    let address = html.select(&selector("[bw-connect]")).find_map(|one| one.attr("bw-connect"));
    let address = address.unwrap_or_default().split('?').next().unwrap_or_default();
    // In a page without a connection an element that names an action is a plain link or form.
    let read_here = consumers.iter().filter(|(path, _)| address.is_empty() || *path == address);
    let specs: Vec<_> = read_here.flat_map(|(_, specs)| specs.iter().copied()).collect();
    (named, unknown_actions(page, &specs))
}

/// The links of a page, without their fragments.
fn links(page: &str) -> Vec<String> {
    let html = Html::parse_document(page);
    let links = selector("a[href]");
    let links = html.select(&links).filter_map(|link| link.attr("href"));
    links.map(|link| link.split('#').next().unwrap_or_default().to_owned()).collect()
}

fn problems(element: ElementRef<'_>, specs: &[ActionSpec]) -> Vec<String> {
    let named = NAMED_BY.iter().filter_map(|attribute| element.attr(attribute));
    named.flat_map(|name| problems_of(name, element, specs)).collect()
}

fn problems_of(name: &str, element: ElementRef<'_>, specs: &[ActionSpec]) -> Vec<String> {
    let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
        return vec![format!("no action `{name}`")];
    };
    let unknown = |field: &String| !spec.fields.contains(&field.as_str());
    let fields = fields(element).into_iter().filter(unknown);
    fields.map(|field| format!("{name} has no field `{field}`")).collect()
}

/// The names that an element sends: those of the form's controls, or of its data.
fn fields(element: ElementRef<'_>) -> Vec<String> {
    let controls = selector("input[name], select[name], textarea[name], button[name]");
    let mut names: Vec<_> = element
        .select(&controls)
        .filter_map(|control| control.attr("name"))
        // A bare form names its action so.
        .filter(|name| *name != "action")
        .map(str::to_owned)
        .collect();
    names.extend(element.attr("name").map(str::to_owned));
    let data = element.attr("bw-data").and_then(|data| serde_json::from_str(data).ok());
    if let Some(Value::Object(data)) = data {
        names.extend(data.keys().cloned());
    }
    names.sort();
    names.dedup();
    names
}

fn selector(selectors: &str) -> Selector {
    Selector::parse(selectors).unwrap_or_else(|error| panic!("{selectors}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [ActionSpec; 2] = [
        ActionSpec { name: "Say", fields: &["text", "client_id"] },
        ActionSpec { name: "Ring", fields: &[] },
    ];

    #[test]
    fn a_page_that_names_only_known_actions_and_fields_passes() {
        let page = r#"<form bw-send="Say"><input type="hidden" name="client_id">
            <textarea name="text" bw-change="Say"></textarea><button>Say</button></form>
            <a href="/" bw-click="Ring" bw-data="{}">Ring</a>"#;
        assert_eq!(unknown_actions(page, &SPECS), Vec::<String>::new());
    }

    #[test]
    fn a_page_is_checked_against_the_consumer_that_it_connects_to() {
        let page = r#"<main bw-connect="/ws/?room=1"><a bw-click="Ring">Ring</a></main>"#;
        let problem = |count, problem: &str| (count, vec![problem.to_owned()]);
        assert_eq!(check_page(page, &[("/ws/", &SPECS)]), (1, vec![]));
        assert_eq!(check_page(page, &[("/ws/other/", &SPECS)]), problem(1, "no action `Ring`"));
        assert_eq!(check_page("<a bw-click=Ring>Ring</a>", &[("/ws/", &SPECS)]), (1, vec![]));
    }

    #[test]
    fn an_unknown_action_and_an_unknown_field_are_listed() {
        let page = r#"<form bw-send="Say"><input name="txt"></form>
            <a bw-click="Ring" bw-data='{"times": 2}'>Ring</a><button bw-click="ring">Ring</button>"#;
        assert_eq!(
            unknown_actions(page, &SPECS),
            ["Say has no field `txt`", "Ring has no field `times`", "no action `ring`"]
        );
    }
}
