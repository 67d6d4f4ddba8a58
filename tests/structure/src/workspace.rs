//! The members of the workspace, as `cargo metadata` lists them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A member of the workspace.
#[derive(Debug, Clone)]
pub struct Crate {
    /// The name in `Cargo.toml`.
    pub name: String,
    /// The folder, relative to the workspace.
    pub folder: String,
    /// The root files of its library and programs, relative to the workspace's folder.
    pub roots: Vec<String>,
    /// The dependencies, members and others.
    pub dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name of the package.
    pub name: String,
    /// Whether it is a dev-dependency.
    pub is_dev: bool,
    /// Whether it has a path.
    pub has_path: bool,
    /// Whether it has a version.
    pub has_version: bool,
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies two folders below the workspace").to_path_buf()
}

/// The text of a file, by its path in the workspace.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder of the workspace with one of these endings, sorted.
pub fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(root().join(&folder)) else { continue };
        for entry in entries {
            let entry = entry.unwrap_or_else(|error| panic!("{folder}: {error}"));
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All members, by name.
pub fn crates() -> Vec<Crate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let mut crates: Vec<_> = list(&metadata["packages"]).iter().map(member).collect();
    crates.sort_by(|one, other| one.name.cmp(&other.name));
    crates
}

fn member(package: &Value) -> Crate {
    let manifest = within(text(&package["manifest_path"]));
    let targets = list(&package["targets"]).iter().filter(|target| {
        list(&target["kind"]).iter().any(|kind| matches!(text(kind), "lib" | "proc-macro" | "bin"))
    });
    Crate {
        name: text(&package["name"]).to_owned(),
        folder: manifest.trim_end_matches("/Cargo.toml").to_owned(),
        roots: targets.map(|target| within(text(&target["src_path"]))).collect(),
        dependencies: list(&package["dependencies"]).iter().map(dependency).collect(),
    }
}

fn dependency(dependency: &Value) -> Dependency {
    Dependency {
        name: text(&dependency["name"]).to_owned(),
        is_dev: dependency["kind"] == "dev",
        has_path: !dependency["path"].is_null(),
        has_version: dependency["req"] != "*",
    }
}

fn within(path: &str) -> String {
    let path = Path::new(path).strip_prefix(root()).expect("members lie in the workspace");
    path.to_str().expect("paths are text").to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
