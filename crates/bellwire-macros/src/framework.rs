//! The path of the framework in the crate that uses a derive.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;

/// The path of `bellwire`: direct, or through `bellwire_site`, whichever the crate depends on.
pub(crate) fn path() -> TokenStream {
    match depends_on_site_alone() {
        true => quote!(::bellwire_site::bellwire),
        false => quote!(::bellwire),
    }
}

/// The same path as text, for an attribute of serde.
pub(crate) fn path_text() -> &'static str {
    if depends_on_site_alone() { "::bellwire_site::bellwire" } else { "::bellwire" }
}

fn depends_on_site_alone() -> bool {
    // Without a manifest, such as in an editor, the direct path is the best guess.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .and_then(|folder| std::fs::read_to_string(PathBuf::from(folder).join("Cargo.toml")).ok())
        .unwrap_or_default();
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    package != "bellwire" && !names(&manifest, "bellwire") && names(&manifest, "bellwire-site")
}

/// Whether a manifest has a dependency of this name: a line `name = …` or `name.workspace = …` in a
/// table of dependencies, or a table `[dependencies.name]`. Dependencies of tests do not count: the
/// crate itself cannot name them.
fn names(manifest: &str, name: &str) -> bool {
    let table_of_its_own = format!("dependencies.{name}]");
    let mut in_dependencies = false;
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            let is_for_tests = line.contains("dev-dependencies");
            in_dependencies = line.ends_with("dependencies]") && !is_for_tests;
            return line.ends_with(&table_of_its_own) && !is_for_tests;
        }
        let key = line.strip_prefix(name).map(str::trim_start);
        in_dependencies && key.is_some_and(|rest| rest.starts_with(['=', '.']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_found_by_its_whole_name() {
        let manifest =
            "[dependencies]\nbellwire-site = { workspace = true }\nserde.workspace = true\n";
        assert!(names(manifest, "bellwire-site") && names(manifest, "serde"));
        assert!(!names(manifest, "bellwire"));
        assert!(names("[dependencies.bellwire]\npath = \"x\"", "bellwire"));
        assert!(names("[dependencies]\nbellwire.workspace = true", "bellwire"));
    }

    #[test]
    fn a_dependency_of_the_tests_alone_is_none_of_the_crate() {
        let line = "[dependencies]\nserde = \"1\"\n[dev-dependencies]\nbellwire = { path = \"x\" }";
        assert!(!names(line, "bellwire"));
        assert!(!names("[dev-dependencies.bellwire]\npath = \"x\"", "bellwire"));
    }
}
