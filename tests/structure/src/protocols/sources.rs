//! Files that define protocols.

use proc_macro2::TokenStream;

use crate::tree::Tree;
use crate::workspace::{Crate, crates, files, read, root};

/// A Rust file, without its tests.
#[derive(Debug)]
pub struct Source {
    /// The path in the workspace.
    pub path: String,
    /// The part of the workspace that its protocols belong to.
    pub part: String,
    /// The tokens.
    pub tokens: TokenStream,
}

/// A template or a script.
#[derive(Debug)]
pub struct Markup {
    /// The path in the workspace.
    pub path: String,
    /// The part of the workspace that its protocols belong to.
    pub part: String,
    /// The text.
    pub text: String,
}

/// All files of the product.
#[derive(Debug, Default)]
pub struct Sources {
    rust: Vec<Source>,
    markup: Vec<Markup>,
    trees: Vec<Tree>,
}

impl Sources {
    /// Reads the workspace. Tests, benchmarks and the tutorial have no protocols.
    ///
    /// # Errors
    /// The lexer's message.
    pub fn load() -> Result<Self, String> {
        let mut sources = Self::default();
        for one in crates() {
            let Some(part) = part(&one) else { continue };
            for root_file in &one.roots {
                sources.add(&part, root_file, &|path| {
                    root().join(path).is_file().then(|| read(path))
                })?;
            }
            for path in markup_of(&one) {
                let text = read(&path);
                sources.markup.push(Markup { path, part: part.clone(), text });
            }
        }
        Ok(sources)
    }

    /// Adds a library or a program, starting at its root file.
    ///
    /// # Errors
    /// The lexer's message.
    pub fn add(
        &mut self,
        part: &str,
        root_file: &str,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let tree = Tree::load(root_file, read)?;
        let product = tree.sources().filter(|(path, _)| !path.contains("/testing"));
        self.rust.extend(product.map(|(path, tokens)| Source {
            path: path.clone(),
            part: part.to_owned(),
            tokens: tokens.clone(),
        }));
        self.trees.push(tree);
        Ok(())
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &Source> {
        self.rust.iter()
    }

    /// Templates and scripts.
    pub fn markup(&self) -> impl Iterator<Item = &Markup> {
        self.markup.iter()
    }

    /// The file with the item that a path in `source` refers to.
    pub(super) fn file_of(&self, source: &Source, path: &[String]) -> Option<&Source> {
        let file = self.trees.iter().find_map(|tree| tree.file_of(&source.path, path))?;
        self.rust.iter().find(|source| source.path == file)
    }
}

/// The text of all files that produce pages.
pub fn texts_of_pages() -> Vec<String> {
    let product = crates().into_iter().filter(|one| part(one).is_some());
    let paths = product.flat_map(|one| {
        markup_of(&one)
            .into_iter()
            .chain(files(&format!("{}/src", one.folder), &[".rs"]))
            .collect::<Vec<_>>()
    });
    paths.map(|path| read(&path)).collect()
}

fn markup_of(one: &Crate) -> Vec<String> {
    let folders =
        ["templates", "static", "assets"].map(|folder| format!("{}/{folder}", one.folder));
    let found = folders.iter().flat_map(|folder| files(folder, &[".html", ".js"]));
    found.filter(|path| !is_of_others(path)).collect()
}

/// The part of the workspace that a crate belongs to. `None` outside of the product.
fn part(one: &Crate) -> Option<String> {
    let (folder, name) = one.folder.split_once('/').unwrap_or((&one.folder, ""));
    match (folder, name) {
        ("crates", "bellwire") => Some("framework".to_owned()),
        ("crates", "bellwire-testkit") => None,
        ("crates", name) if name.contains('/') => None,
        ("crates" | "server", _) | ("apps", "home") => Some("site".to_owned()),
        ("apps", name) => Some(name.to_owned()),
        _ => None,
    }
}

/// Third-party libraries that are served unmodified.
fn is_of_others(path: &str) -> bool {
    ["/htmx.js", "/stimulus.js", "/htmx/2", "/htmx/4", "/htmx/ws"]
        .iter()
        .any(|other| path.contains(other))
}
