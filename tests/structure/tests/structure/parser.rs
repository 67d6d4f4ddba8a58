//! Tests of the parser on small inputs: it finds each kind of import, and nothing else.

use bellwire_structure::cycles::cycles;
use bellwire_structure::tree::Tree;

/// The module tree of a crate with these files.
fn tree(files: &[(&str, &str)]) -> Tree {
    let read = |path: &str| {
        files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
    };
    Tree::load(files[0].0, &read).unwrap_or_else(|error| panic!("{error}"))
}

/// The imports of a crate, as `a → b`, without folder and ending.
fn imports(files: &[(&str, &str)]) -> Vec<String> {
    let short = |path: &str| path.trim_start_matches("src/").trim_end_matches(".rs").to_owned();
    let mut found: Vec<_> = tree(files)
        .imports()
        .iter()
        .map(|one| format!("{} → {}", short(&one.from), short(&one.to)))
        .collect();
    found.dedup();
    found
}

/// The files of a crate that are on a cycle.
fn on_a_cycle(files: &[(&str, &str)]) -> Vec<String> {
    cycles(&tree(files)).into_keys().collect()
}

/// The imports of `a.rs` in a crate with `b.rs`, which has a struct `B`, and `c/mod.rs` with
/// `c/d.rs`.
fn imports_of(text: &str) -> Vec<String> {
    imports(&[
        ("src/lib.rs", "mod a; mod b; mod c; pub use b::B; pub use c::*;"),
        ("src/a.rs", text),
        ("src/b.rs", "pub struct B;"),
        ("src/c/mod.rs", "pub mod d; pub use d::D; pub struct C;"),
        ("src/c/d.rs", "pub enum D { One }"),
    ])
    .into_iter()
    .filter(|import| import.starts_with("a "))
    .collect()
}

#[test]
fn each_way_to_name_a_file_is_an_import() {
    for text in [
        "use crate::b::B;",
        "use super::b;",
        "pub(crate) use crate::{b::{self, B}};",
        "fn f() { use super::b::B as Other; }",
        "fn f(_: crate::b::B) {}",
        "fn f() -> Vec<super::b::B> { vec![] }",
        "fn f() { debug!(\"{}\", crate::b::B); }",
        "mod inner { use super::super::b::B; }",
        "macro_rules! m { () => { $crate::b::B }; }",
        "#[derive(X)] struct A { #[x(crate::b::B)] y: u8 }",
    ] {
        assert_eq!(imports_of(text), ["a → b"], "{text}");
    }
}

#[test]
fn a_reexported_name_resolves_to_the_file_that_declares_it() {
    assert_eq!(imports_of("use crate::B;"), ["a → b"], "re-exported by name");
    assert_eq!(imports_of("use crate::D;"), ["a → c/d"], "re-exported by a glob and then by name");
    assert_eq!(imports_of("use crate::C;"), ["a → c/mod"], "re-exported by a glob");
    assert_eq!(
        imports_of("use crate::c; fn f() { c::D::One; }"),
        ["a → c/d", "a → c/mod"],
        "through a module"
    );
    assert_eq!(
        imports_of("use super::*; fn f() { b::new(); }"),
        ["a → b", "a → lib"],
        "through a glob"
    );
    assert_eq!(
        imports_of("use crate::nothing;"),
        ["a → lib"],
        "an unknown name belongs to the module"
    );
}

#[test]
fn comments_strings_tests_and_visibilities_are_not_imports() {
    for text in [
        "// use crate::b::B;\n/* crate::b::B */\n/// crate::b::B\nfn f() {}",
        "const A: &str = \"use crate::b::B;\"; const R: &str = r#\"crate::b\"#; const C: char = '\"';",
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(all(test, feature = \"x\"))] use crate::b::{B};",
        "#[cfg(test)] use crate::{b::B}; fn f<'a>(_: &'a str) {}",
        "#[test] #[cfg(test)] fn f() { crate::b::B; }",
        "struct A { #[cfg(test)] b: crate::b::B, c: u8 }",
        "pub(in crate::b) fn f() {}",
        "fn f() { ::std::b::x(); other::b::B; }",
        "struct B; fn f() { B::new(); }",
    ] {
        assert_eq!(imports_of(text), [""; 0], "{text}");
    }
}

#[test]
fn code_that_may_be_compiled_without_tests_is_included() {
    for text in [
        "#[cfg(not(test))] use crate::b::B;",
        "#[cfg(any(test, feature = \"testing\"))] use crate::b::B;",
        "#[cfg(test)] fn f() {} use crate::b::B;",
        "#[cfg(test)] const A: [u8; 1] = { [1] }; use crate::b::B;",
    ] {
        assert_eq!(imports_of(text), ["a → b"], "{text}");
    }
    assert!(imports_of("#![cfg(test)] use crate::b::B;").is_empty());
}

#[test]
fn modules_are_found_where_the_compiler_finds_them() {
    let files = [
        ("src/lib.rs", "mod a; #[path = \"../other/e.rs\"] mod e; mod inside { pub mod f; }"),
        ("src/a.rs", "mod b;"),
        ("src/a/b.rs", "use crate::{e::E, inside::f::F};"),
        ("other/e.rs", "pub struct E;"),
        ("src/inside/f.rs", "pub struct F;"),
    ];
    assert_eq!(imports(&files), ["a/b → other/e", "a/b → inside/f"]);
    let missing = Tree::load("src/lib.rs", &|path| (path == "src/lib.rs").then(|| "mod a;".into()));
    assert_eq!(missing.unwrap_err(), "src/a/mod.rs is missing");
}

#[test]
fn files_that_import_each_other_are_on_a_cycle() {
    let both = [
        ("src/lib.rs", "mod a; mod b; mod c; pub use b::B;"),
        ("src/a.rs", "use crate::B;"),
        ("src/b.rs", "use crate::a;"),
        ("src/c.rs", "use crate::a;"),
    ];
    assert_eq!(on_a_cycle(&both), ["src/a.rs", "src/b.rs"]);
    let mut through_a_third = both;
    (through_a_third[2].1, through_a_third[3].1) = ("use crate::c;", "use crate::a;");
    assert_eq!(on_a_cycle(&through_a_third), ["src/a.rs", "src/b.rs", "src/c.rs"]);
    let mut one_way = both;
    one_way[2].1 = "pub struct B;";
    assert!(on_a_cycle(&one_way).is_empty());
}

#[test]
fn each_file_is_reported_with_its_own_shortest_cycle() {
    let found = cycles(&tree(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b;"),
        ("src/b.rs", "\nuse crate::{a, c};"),
        ("src/c.rs", "use crate::d;"),
        ("src/d.rs", "use crate::c;"),
    ]));
    let way: Vec<_> = found["src/b.rs"]
        .iter()
        .map(|one| (one.from.as_str(), one.line, one.to.as_str()))
        .collect();
    assert_eq!(way, [("src/b.rs", 2, "src/a.rs"), ("src/a.rs", 1, "src/b.rs")]);
    assert_eq!(found["src/c.rs"].len(), 2);
}

#[test]
fn a_folder_and_its_files_may_import_each_other_if_the_cycle_stays_inside() {
    let within = [
        ("src/lib.rs", "mod a; mod b; use a::x; pub struct Root;"),
        ("src/a/mod.rs", "mod x; mod y; use x::X; pub struct A;"),
        ("src/a/x.rs", "use super::A; use super::y::Y; pub struct X;"),
        ("src/a/y.rs", "use super::A; use crate::Root; pub struct Y;"),
        ("src/b.rs", "use crate::a::A;"),
    ];
    assert!(on_a_cycle(&within).is_empty());
    let mut through_another_folder = within;
    through_another_folder[3].1 = "use crate::b::B; pub struct Y;";
    let all = ["src/a/mod.rs", "src/a/x.rs", "src/a/y.rs", "src/b.rs"];
    assert_eq!(on_a_cycle(&through_another_folder), all);
    let mut between_siblings = within;
    between_siblings[3].1 = "use super::x::X; pub struct Y;";
    assert_eq!(on_a_cycle(&between_siblings), ["src/a/x.rs", "src/a/y.rs"]);
}
