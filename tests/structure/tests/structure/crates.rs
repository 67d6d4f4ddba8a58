//! Imports between our crates.

use bellwire_structure::shipped::tokens;
use bellwire_structure::source::{first_names, module};
use bellwire_structure::table::{FOR_NOW, TABLE, allows, row};
use bellwire_structure::workspace::{Crate, crates, files, read};

/// Advice about a new arrow.
const DECIDE: &str = "Ask for what is missing through a crate that may be imported, or move it below both. A new arrow is a \
    decision: it gets an entry in docs/decisions.md and a row in tests/structure/src/table.rs.";

fn is_app(one: &Crate) -> bool {
    one.folder.starts_with("apps/")
}

/// The arrows of the manifests that the table does not know, each as a sentence.
fn unknown_arrows(crates: &[Crate]) -> Vec<String> {
    let mut found = Vec::new();
    for one in crates {
        let ours = one
            .dependencies
            .iter()
            .filter(|dependency| crates.iter().any(|c| c.name == dependency.name));
        for dependency in ours {
            let (from, to) = (&one.name, &dependency.name);
            let to_app = crates.iter().any(|other| other.name == *to && is_app(other));
            if dependency.is_dev && is_app(one) && to_app {
                found.push(format!(
                    "{from} may not import {to}, not even in tests: apps never import apps."
                ));
            } else if dependency.is_dev && (!dependency.has_path || dependency.has_version) {
                found.push(format!(
                    "{from} names {to} for its tests by version: name it by path, without a version."
                ));
            } else if !dependency.is_dev && !allows(from, to) {
                found.push(format!("{from} may not import {to}. {DECIDE}"));
            }
        }
    }
    found
}

/// Whether a crate's `src` may name another crate. Apps stand above the testkit: their unit tests
/// may use it, and a dev-dependency cannot be named in what is shipped.
fn may_name(one: &Crate, other: &Crate) -> bool {
    allows(&one.name, &other.name) || (is_app(one) && other.name == "bellwire-testkit")
}

/// The names of our crates in a crate's `src`, tests included, that the table does not know.
fn unknown_names(one: &Crate, others: &[Crate], path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let foreign = first_names(&module(tokens)).into_iter().filter_map(|(name, line)| {
        let other = others.iter().find(|other| other.name.replace('-', "_") == name && other.name != one.name)?;
        (!may_name(one, other)).then(|| {
            format!("{path}:{line} names {name}, which {} may not import. {DECIDE} Tests that need it stand in tests/.", one.name)
        })
    });
    foreign.collect()
}

#[test]
fn every_crate_has_a_row_in_the_table() {
    let missing: Vec<_> = crates().into_iter().filter(|one| row(&one.name).is_none()).collect();
    assert!(
        missing.is_empty(),
        "say in tests/structure/src/table.rs what these crates may import, as DESIGN.md's table says it: {:?}",
        missing.iter().map(|one| &one.name).collect::<Vec<_>>()
    );
}

#[test]
fn no_row_of_the_table_is_there_twice_and_no_arrow_of_it_leads_back() {
    for (n, (name, may)) in TABLE.iter().enumerate() {
        assert!(TABLE[..n].iter().all(|(other, _)| other != name), "{name} has two rows");
        for other in *may {
            let before = TABLE[..n].iter().any(|(row, _)| row == other);
            assert!(before, "{name} imports {other}, which has to stand above it");
        }
    }
}

#[test]
fn crates_import_what_the_table_allows() {
    let unknown = unknown_arrows(&crates());
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
}

#[test]
fn what_is_allowed_for_now_is_still_there() {
    let crates = crates();
    for (from, to) in FOR_NOW {
        let from_crate = crates.iter().find(|one| one.name == *from);
        let is_there = from_crate.is_some_and(|one| {
            one.dependencies.iter().any(|dependency| !dependency.is_dev && dependency.name == *to)
        });
        assert!(
            is_there,
            "{from} no longer imports {to}. Remove it from FOR_NOW in tests/structure/src/table.rs."
        );
    }
}

#[test]
fn code_names_only_crates_that_it_may_import() {
    let crates = crates();
    let mut unknown = Vec::new();
    for one in &crates {
        for path in files(&format!("{}/src", one.folder), &[".rs"]) {
            unknown.extend(unknown_names(one, &crates, &path, &read(&path)));
        }
    }
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
}

mod on_small_workspaces {
    use super::{Crate, unknown_arrows, unknown_names};
    use bellwire_structure::workspace::Dependency;

    fn dependency(name: &str) -> Dependency {
        Dependency { name: name.into(), is_dev: false, has_path: true, has_version: false }
    }

    fn with(name: &str, folder: &str, dependencies: Vec<Dependency>) -> Crate {
        Crate { name: name.into(), folder: folder.into(), roots: vec![], dependencies }
    }

    /// Two apps and the site, one of them with this dependency.
    fn blog_with(dependencies: Vec<Dependency>) -> Vec<Crate> {
        vec![
            with("bellwire-blog", "apps/blog", dependencies),
            with(
                "bellwire-chat",
                "apps/chat",
                vec![dependency("bellwire-site"), dependency("askama")],
            ),
            with("bellwire-site", "crates/bellwire-site", vec![]),
        ]
    }

    #[test]
    fn an_arrow_of_the_table_passes() {
        assert!(unknown_arrows(&blog_with(vec![dependency("bellwire-site")])).is_empty());
    }

    #[test]
    fn an_app_that_imports_an_app_is_told() {
        let told = unknown_arrows(&blog_with(vec![dependency("bellwire-chat")]));
        assert!(told[0].starts_with("bellwire-blog may not import bellwire-chat. "), "{told:?}");
        let told = unknown_arrows(&blog_with(vec![Dependency {
            is_dev: true,
            ..dependency("bellwire-chat")
        }]));
        assert!(told[0].ends_with("apps never import apps."), "{told:?}");
    }

    #[test]
    fn tests_may_import_anything_by_path_alone() {
        let mut crates = blog_with(vec![]);
        crates[2].dependencies = vec![Dependency { is_dev: true, ..dependency("bellwire-chat") }];
        assert!(unknown_arrows(&crates).is_empty());
        crates[2].dependencies[0].has_version = true;
        assert!(unknown_arrows(&crates)[0].ends_with("without a version."));
    }

    #[test]
    fn unit_tests_of_apps_alone_may_use_the_testkit() {
        let mut crates = blog_with(vec![]);
        crates.push(with(
            "bellwire-testkit",
            "crates/bellwire-testkit",
            vec![dependency("bellwire-site")],
        ));
        let named = |n: usize| {
            unknown_names(
                &crates[n],
                &crates,
                "src/lib.rs",
                "#[cfg(test)] use bellwire_testkit::TestSite;",
            )
            .len()
        };
        assert_eq!((named(0), named(2)), (0, 1));
    }

    #[test]
    fn a_crate_named_in_code_is_found_also_in_tests_inside_it() {
        let crates = blog_with(vec![]);
        let named = |text| unknown_names(&crates[2], &crates, "src/lib.rs", text).len();
        assert_eq!(named("#[cfg(test)] mod tests { use bellwire_chat::app; }"), 1);
        assert_eq!(named("fn f() { debug!(\"{}\", bellwire_blog::app()); }"), 1);
        assert_eq!(
            named(
                "// bellwire_chat::app\nconst A: &str = \"bellwire_chat::app\"; use bellwire_site::x;"
            ),
            0
        );
    }
}
