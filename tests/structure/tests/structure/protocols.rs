//! Tests that docs/protocols.md and the settings' document match the source.

use std::collections::BTreeSet;

use bellwire_structure::protocols::{
    Row, Sources, documented, first_column, found, texts_of_pages, variables_of_settings,
};
use bellwire_structure::workspace::read;

const DOCUMENT: &str = "docs/protocols.md";
const SETTINGS: &str = "docs/settings.md";

fn lines(rows: impl Iterator<Item = impl ToString>) -> String {
    rows.map(|row| format!("\n    {}", row.to_string())).collect()
}

/// Describes both differences between the source and a document.
fn differences(found: &BTreeSet<Row>, documented: &BTreeSet<Row>, document: &str) -> String {
    let missing = lines(found.difference(documented));
    let stale = lines(documented.difference(found));
    let mut report = String::new();
    if !missing.is_empty() {
        report += &format!(
            "\nThese rows are in the source but not in {document}. Add them to the chapter of their \
             part:{missing}\n"
        );
    }
    if !stale.is_empty() {
        report += &format!(
            "\nThese rows are in {document} but no longer in the source. Others may use them. If the \
             removal or change is necessary, remove the rows and describe it in \
             CHANGELOG.md:{stale}\n"
        );
    }
    report
}

#[test]
fn the_documents_list_exactly_the_protocols_in_the_source() {
    let sources = Sources::load().unwrap_or_else(|error| panic!("{error}"));
    let (variables, found): (BTreeSet<_>, BTreeSet<_>) =
        found(&sources).into_iter().partition(|row| row.kind == "variable");
    let report = differences(&found, &documented(&read(DOCUMENT)), DOCUMENT);
    let report =
        report + &differences(&variables, &variables_of_settings(&read(SETTINGS)), SETTINGS);
    assert!(report.is_empty(), "{report}");
}

/// The names in a table of the document that occur in no source in any of these forms.
fn stale(heading: &str, forms: impl Fn(&str) -> Vec<String>) -> String {
    let texts = texts_of_pages();
    let named = first_column(&read(DOCUMENT), heading);
    assert!(!named.is_empty(), "{DOCUMENT} has no table with the heading {heading}");
    let is_there =
        |name: &String| texts.iter().any(|text| forms(name).iter().any(|form| text.contains(form)));
    lines(named.iter().filter(|name| !is_there(name)))
}

#[test]
fn every_documented_element_is_in_a_page() {
    let stale = stale("element", |element| match element.split_at(1) {
        ("#", id) => vec![format!("id=\"{id}\""), format!("id=\\\"{id}\\\"")],
        (_, class) => {
            vec![
                format!("\"{class}\""),
                format!("\"{class} "),
                format!(" {class}\""),
                format!(" {class} "),
            ]
        }
    });
    assert!(stale.is_empty(), "{DOCUMENT} names elements that are in no page:{stale}");
}

#[test]
fn every_documented_header_is_in_the_source() {
    let stale = stale("header", |name| {
        let constant = name.to_uppercase().replace('-', "_");
        vec![
            format!("\"{}\"", name.to_lowercase()),
            format!("{constant},"),
            format!("{constant})"),
            format!("{constant}."),
        ]
    });
    assert!(stale.is_empty(), "{DOCUMENT} names headers that are not in the source:{stale}");
}

mod on_small_sources {
    use bellwire_structure::protocols::{Sources, documented, found};

    use super::differences;

    /// The rows of an app with these files.
    fn rows(files: &[(&str, &str)]) -> Vec<String> {
        let read = |path: &str| {
            files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
        };
        let mut sources = Sources::default();
        sources.add("chat", files[0].0, &read).unwrap_or_else(|error| panic!("{error}"));
        found(&sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn routes_are_found_with_methods_and_fields() {
        let files = [
            (
                "src/lib.rs",
                "mod views; fn r() -> Router { Router::new().route(views::PATH, get(views::show).post(views::send)) }",
            ),
            (
                "src/views.rs",
                r#"pub(crate) const PATH: &str = "/x/{id}/";
                impl X { fn show(Query(q): Query<Other>) {} }
                async fn show(Query(q): Query<SearchQuery>) {}
                async fn send(user: User, Form(PostForm { text }): Form<PostForm>) {}
                struct SearchQuery { #[serde(rename = "q")] words: String, page: Option<u64> }
                struct PostForm { #[serde(alias = "body")] text: String }
                struct Other { nothing: u8 }"#,
            ),
        ];
        let wanted = [
            "chat, table of method: | GET | /x/{id}/ | page, q | … |",
            "chat, table of method: | POST | /x/{id}/ | body, text | … |",
        ];
        assert_eq!(rows(&files), wanted);
    }

    #[test]
    fn actions_are_found_with_fields_and_types_including_structs_in_other_files() {
        let files = [
            (
                "src/lib.rs",
                r#"mod new; use new::NewMessage;
                #[derive(Debug, bellwire::Action)]
                enum Ask {
                    #[action(form)] #[serde(rename = "New message")] New(NewMessage),
                    Read { #[serde(deserialize_with = "bellwire::serde::lenient_int")] seq: i64, all: bool },
                    Typing {},
                }
                #[derive(Debug)] enum Other { Thing {} }"#,
            ),
            (
                "src/new.rs",
                r"pub struct NewMessage { pub message: String, #[serde(default)] pub client_id: Option<String> }",
            ),
        ];
        let wanted = [
            "chat, table of action: | New message | client_id? text, message text | yes | … |",
            "chat, table of action: | Read | all true or false, seq number |  | … |",
            "chat, table of action: | Typing |  |  | … |",
        ];
        assert_eq!(rows(&files), wanted);
    }

    #[test]
    fn names_in_strings_are_found_except_in_tests_and_comments() {
        let text = r##"
            /// `#not`, data-not
            fn f() {
                // "#not"
                patch("#list"); patch(format!("#message--{id}")); patch("#list b"); color("#");
                socket.scope().query("at"); cookie("__Host-bellwire_x", "bellwire_x", "bellwire_y");
                html("<b data-room="1" data-controller="x" data-seq="2">"); env("BELLWIRE_BIND", "BELLWIRE_TEST_X");
                json!({ "action": "New ball", "ball": ball, "at": now() });
            }
            #[sea_orm(table_name = "rooms")] struct Model { pub id: i64, #[sea_orm(column_name = "what")] kind: u8 }
            #[cfg(test)] mod tests { const A: &str = "#not"; }
        "##;
        let wanted = [
            "chat, table of attribute: | data-room | … |",
            "chat, table of frame: | New ball | at, ball | … |",
            "chat, table of query: | at | … |",
            "chat, table of selector: | #list | … |",
            "chat, table of selector: | #message--* | … |",
            "chat, table of table: | rooms | id, what | … |",
            "framework, table of attribute: | data-seq | … |",
            "site, table of cookie: | __Host-bellwire_x | … |",
            "site, table of cookie: | bellwire_x | … |",
            "site, table of variable: | BELLWIRE_BIND | … |",
        ];
        assert_eq!(rows(&[("src/lib.rs", text)]), wanted);
    }

    #[test]
    fn rows_missing_on_either_side_are_reported() {
        let table = "## Chat (`apps/chat`)\n\n| selector | content |\n|---|---|\n| `#list` | x |\n| `#message--<id>` | y |\n";
        let (list, message) = (documented(table), documented(&table.replace("#list", "#others")));
        assert!(differences(&list, &list, "x.md").is_empty());
        let report = differences(&list, &message, "x.md");
        assert!(
            report.contains("not in x.md")
                && report.contains("chat, table of selector: | #list | … |"),
            "{report}"
        );
        assert!(
            report.contains("no longer in the source") && report.contains("| #others | … |"),
            "{report}"
        );
        assert!(!report.contains("#message"), "{report}");
    }
}
