//! docs/protocols.md says what the source does.

use std::collections::BTreeSet;

use bellwire_structure::protocols::{
    Row, Sources, documented, first_column, found, texts_of_pages, variables_of_readme,
};
use bellwire_structure::workspace::read;

const DOCUMENT: &str = "docs/protocols.md";

fn lines(rows: impl Iterator<Item = impl ToString>) -> String {
    rows.map(|row| format!("\n    {}", row.to_string())).collect()
}

/// Both differences between the source and a document, in words.
fn differences(found: &BTreeSet<Row>, documented: &BTreeSet<Row>, document: &str) -> String {
    let missing = lines(found.difference(documented));
    let gone = lines(documented.difference(found));
    let mut told = String::new();
    if !missing.is_empty() {
        told += &format!(
            "\nThis is in the source and not in {document}. Add these rows, in the chapter of their part:{missing}\n"
        );
    }
    if !gone.is_empty() {
        told += &format!(
            "\nThis is in {document} and no longer in the source. Others may use it: if it has to be removed or changed, remove \
             these rows and say so in CHANGELOG.md:{gone}\n"
        );
    }
    told
}

#[test]
fn the_document_has_all_that_is_in_the_source_and_nothing_else() {
    let sources = Sources::load().unwrap_or_else(|error| panic!("{error}"));
    let (variables, found): (BTreeSet<_>, BTreeSet<_>) =
        found(&sources).into_iter().partition(|row| row.kind == "variable");
    let told = differences(&found, &documented(&read(DOCUMENT)), DOCUMENT);
    let told =
        told + &differences(&variables, &variables_of_readme(&read("README.md")), "README.md");
    assert!(told.is_empty(), "{told}");
}

/// The names in a table of the document that no source has in any of these forms.
fn gone(heading: &str, forms: impl Fn(&str) -> Vec<String>) -> String {
    let texts = texts_of_pages();
    let named = first_column(&read(DOCUMENT), heading);
    assert!(!named.is_empty(), "{DOCUMENT} has no table of this kind: {heading}");
    let is_there =
        |name: &String| texts.iter().any(|text| forms(name).iter().any(|form| text.contains(form)));
    lines(named.iter().filter(|name| !is_there(name)))
}

#[test]
fn each_element_that_the_document_names_is_in_a_page() {
    let gone = gone("element", |element| match element.split_at(1) {
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
    assert!(gone.is_empty(), "{DOCUMENT} names elements that are in no page:{gone}");
}

#[test]
fn each_header_that_the_document_names_is_in_the_source() {
    let gone = gone("header", |name| {
        let constant = name.to_uppercase().replace('-', "_");
        vec![
            format!("\"{}\"", name.to_lowercase()),
            format!("{constant},"),
            format!("{constant})"),
            format!("{constant}."),
        ]
    });
    assert!(gone.is_empty(), "{DOCUMENT} names headers that are not in the source:{gone}");
}

mod on_small_sources {
    use bellwire_structure::protocols::{Sources, documented, found};

    use super::differences;

    /// The rows of an app of these files.
    fn rows(files: &[(&str, &str)]) -> Vec<String> {
        let read = |path: &str| {
            files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
        };
        let mut sources = Sources::default();
        sources.add("chat", files[0].0, &read).unwrap_or_else(|error| panic!("{error}"));
        found(&sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_route_has_its_methods_and_the_fields_that_its_handlers_read() {
        let files = [
            (
                "src/lib.rs",
                "mod views; fn r() -> Router { Router::new().route(views::PATH, get(views::show).post(views::send)) }",
            ),
            (
                "src/views.rs",
                r#"pub(crate) const PATH: &str = "/x/{id}/";
                impl X { fn show(Query(q): Query<Other>) {} }
                async fn show(Query(q): Query<Sought>) {}
                async fn send(user: User, Form(Typed { text }): Form<Typed>) {}
                struct Sought { #[serde(rename = "q")] words: String, page: Option<u64> }
                struct Typed { #[serde(alias = "body")] text: String }
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
    fn an_action_has_its_fields_with_their_types_also_in_a_struct_of_another_file() {
        let files = [
            (
                "src/lib.rs",
                r#"mod new; use new::Asked;
                #[derive(Deserialize)] #[serde(tag = "action", content = "data")]
                enum Action {
                    #[serde(rename = "New message")] New(Asked),
                    Read { #[serde(deserialize_with = "bellwire::serde::lenient_int")] seq: i64, all: bool },
                    Typing {},
                }
                impl bellwire::Action for Action { const FORM: Option<&'static str> = Some("New message"); }"#,
            ),
            (
                "src/new.rs",
                r"pub struct Asked { pub message: String, #[serde(default)] pub client_id: Option<String> }",
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
    fn names_in_texts_are_found_and_those_in_tests_and_comments_are_not() {
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
    fn what_one_side_has_alone_is_told() {
        let table = "## Chat (`apps/chat`)\n\n| selector | content |\n|---|---|\n| `#list` | x |\n| `#message--<id>` | y |\n";
        let (list, message) = (documented(table), documented(&table.replace("#list", "#others")));
        assert!(differences(&list, &list, "x.md").is_empty());
        let told = differences(&list, &message, "x.md");
        assert!(
            told.contains("not in x.md") && told.contains("chat, table of selector: | #list | … |"),
            "{told}"
        );
        assert!(
            told.contains("no longer in the source") && told.contains("| #others | … |"),
            "{told}"
        );
        assert!(!told.contains("#message"), "{told}");
    }
}
