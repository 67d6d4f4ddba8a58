//! Tests of the imports between the workspace's crates.

use bellwire_structure::shipped::tokens;
use bellwire_structure::source::{first_names, module};
use bellwire_structure::table::{TABLE, TEMPORARY, allows, row};
use bellwire_structure::workspace::{Crate, crates, files, read};

/// Advice for a new import.
const ADVICE: &str = "Use a crate that may be imported, or move the code into a crate below both. A \
    new import is a decision: add a file to docs/decisions/ and change \
    tests/structure/src/table.rs.";

fn is_app(one: &Crate) -> bool {
    one.folder.starts_with("apps/")
}

/// The dependencies in manifests that the table does not allow, each as a sentence.
fn forbidden_dependencies(crates: &[Crate]) -> Vec<String> {
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
                    "{from} has the dev-dependency {to} by version: use the path, without a version."
                ));
            } else if !dependency.is_dev && !allows(from, to) {
                found.push(format!("{from} may not import {to}. {ADVICE}"));
            }
        }
    }
    found
}

/// Whether a crate's `src` may name another crate. Unit tests of apps may use the testkit; the
/// compiler already prevents shipped code from naming a dev-dependency.
fn may_name(one: &Crate, other: &Crate) -> bool {
    allows(&one.name, &other.name) || (is_app(one) && other.name == "bellwire-testkit")
}

/// The names of workspace crates in a crate's `src`, including tests, that the table does not
/// allow.
fn forbidden_names(one: &Crate, others: &[Crate], path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let foreign = first_names(&module(tokens)).into_iter().filter_map(|(name, line)| {
        let other = others.iter().find(|other| other.name.replace('-', "_") == name && other.name != one.name)?;
        (!may_name(one, other)).then(|| {
            format!(
                "{path}:{line} names {name}, which {} may not import. {ADVICE} Move tests that need \
                 it to tests/.",
                one.name
            )
        })
    });
    foreign.collect()
}

#[test]
fn every_crate_has_a_row_in_the_table() {
    let missing: Vec<_> = crates().into_iter().filter(|one| row(&one.name).is_none()).collect();
    assert!(
        missing.is_empty(),
        "add the allowed imports of these crates to tests/structure/src/table.rs: {:?}",
        missing.iter().map(|one| &one.name).collect::<Vec<_>>()
    );
}

#[test]
fn the_table_has_no_duplicate_rows_and_no_cycles() {
    for (n, (name, may)) in TABLE.iter().enumerate() {
        assert!(TABLE[..n].iter().all(|(other, _)| other != name), "{name} has two rows");
        for other in *may {
            let before = TABLE[..n].iter().any(|(row, _)| row == other);
            assert!(before, "{name} imports {other}, which must be above it in the table");
        }
    }
}

#[test]
fn crates_import_what_the_table_allows() {
    let unknown = forbidden_dependencies(&crates());
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
}

#[test]
fn every_temporary_exception_is_still_used() {
    let crates = crates();
    for (from, to) in TEMPORARY {
        let from_crate = crates.iter().find(|one| one.name == *from);
        let is_there = from_crate.is_some_and(|one| {
            one.dependencies.iter().any(|dependency| !dependency.is_dev && dependency.name == *to)
        });
        assert!(
            is_there,
            "{from} no longer imports {to}. Remove it from TEMPORARY in tests/structure/src/table.rs."
        );
    }
}

#[test]
fn code_names_only_crates_that_it_may_import() {
    let crates = crates();
    let mut unknown = Vec::new();
    for one in &crates {
        for path in files(&format!("{}/src", one.folder), &[".rs"]) {
            unknown.extend(forbidden_names(one, &crates, &path, &read(&path)));
        }
    }
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
}

mod on_small_workspaces {
    use super::{Crate, forbidden_dependencies, forbidden_names};
    use bellwire_structure::workspace::Dependency;

    fn dependency(name: &str) -> Dependency {
        Dependency { name: name.into(), is_dev: false, has_path: true, has_version: false }
    }

    fn with(name: &str, folder: &str, dependencies: Vec<Dependency>) -> Crate {
        Crate { name: name.into(), folder: folder.into(), roots: vec![], dependencies }
    }

    /// Two apps and the site. The blog has these dependencies.
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
    fn an_allowed_import_passes() {
        assert!(forbidden_dependencies(&blog_with(vec![dependency("bellwire-site")])).is_empty());
    }

    #[test]
    fn an_app_that_imports_an_app_is_reported() {
        let found = forbidden_dependencies(&blog_with(vec![dependency("bellwire-chat")]));
        assert!(found[0].starts_with("bellwire-blog may not import bellwire-chat. "), "{found:?}");
        let found = forbidden_dependencies(&blog_with(vec![Dependency {
            is_dev: true,
            ..dependency("bellwire-chat")
        }]));
        assert!(found[0].ends_with("apps never import apps."), "{found:?}");
    }

    #[test]
    fn tests_may_import_anything_by_path_alone() {
        let mut crates = blog_with(vec![]);
        crates[2].dependencies = vec![Dependency { is_dev: true, ..dependency("bellwire-chat") }];
        assert!(forbidden_dependencies(&crates).is_empty());
        crates[2].dependencies[0].has_version = true;
        assert!(forbidden_dependencies(&crates)[0].ends_with("without a version."));
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
            forbidden_names(
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
    fn crate_names_in_code_are_found_including_inline_tests() {
        let crates = blog_with(vec![]);
        let named = |text| forbidden_names(&crates[2], &crates, "src/lib.rs", text).len();
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
