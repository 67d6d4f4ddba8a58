//! Module tree of a crate, and the imports between its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use proc_macro2::TokenStream;

use crate::shipped::{shipped, tokens};
use crate::source::{Module, module};

/// The modules of one library or program.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    files: Vec<String>,
    tokens: Vec<TokenStream>,
}

#[derive(Debug)]
struct Node {
    file: usize,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    module: Module,
}

/// An import of one file by another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The file that imports.
    pub from: String,
    /// The line, from 1.
    pub line: usize,
    /// The path in the code.
    pub path: String,
    /// The file that is imported.
    pub to: String,
}

/// The result of resolving a name.
#[derive(Debug, Clone, Copy)]
enum Found {
    Module(usize),
    ItemOf(usize),
}

impl Found {
    fn node(self) -> usize {
        match self {
            Self::Module(node) | Self::ItemOf(node) => node,
        }
    }
}

impl Tree {
    /// Reads the modules of a crate, starting at its root file. `read` returns the text of a file,
    /// if it exists.
    ///
    /// # Errors
    /// A sentence about a missing file, or a file that is not Rust.
    pub fn load(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut tree = Self::default();
        let folder = parent_folder(root);
        tree.load_file(root, &folder, None, read)?;
        Ok(tree)
    }

    fn load_file(
        &mut self,
        path: &str,
        folder: &str,
        parent: Option<usize>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<usize>, String> {
        let text = read(path).ok_or_else(|| format!("{path} is missing"))?;
        let tokens = tokens(&text).map_err(|error| format!("{path}: {error}"))?;
        let Some(tokens) = shipped(tokens) else { return Ok(None) };
        self.files.push(path.to_owned());
        self.tokens.push(tokens.clone());
        let module = module(tokens);
        self.load_module(module, self.files.len() - 1, folder, parent, read).map(Some)
    }

    /// Adds a module whose submodules are in `folder`.
    fn load_module(
        &mut self,
        mut module: Module,
        file: usize,
        folder: &str,
        parent: Option<usize>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<usize, String> {
        let declared = std::mem::take(&mut module.modules);
        let here = self.nodes.len();
        self.nodes.push(Node { file, parent, children: BTreeMap::new(), module });
        for one in declared {
            let below = format!("{folder}/{}", one.name);
            let child = match (one.body, one.path) {
                (Some(body), _) => Some(self.load_module(body, file, &below, Some(here), read)?),
                (None, Some(path)) => {
                    let path = joined(&parent_folder(&self.files[file]), &path);
                    let folder = parent_folder(&path);
                    self.load_file(&path, &folder, Some(here), read)?
                }
                (None, None) => {
                    let (beside, inside) = (format!("{below}.rs"), format!("{below}/mod.rs"));
                    let path = if read(&beside).is_some() { beside } else { inside };
                    self.load_file(&path, &below, Some(here), read)?
                }
            };
            if let Some(child) = child {
                self.nodes[here].children.insert(one.name, child);
            }
        }
        Ok(here)
    }

    /// The files, in order of declaration.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The files with their tokens, without tests.
    pub fn sources(&self) -> impl Iterator<Item = (&String, &TokenStream)> {
        self.files.iter().zip(&self.tokens)
    }

    /// The file with the item that a path in `file` refers to.
    pub fn file_of(&self, file: &str, path: &[String]) -> Option<&str> {
        let node = self.nodes.iter().position(|node| self.files[node.file] == file)?;
        let first = path.first()?;
        let is_own = path.len() == 1 && self.nodes[node].module.items.contains(first);
        let found = if is_own { node } else { self.find(node, path, &[])?.node() };
        Some(&self.files[self.nodes[found].file])
    }

    /// For each file, the file that declares it.
    pub fn parents(&self) -> BTreeMap<String, String> {
        let with_parent =
            self.nodes.iter().filter_map(|node| Some((node.file, self.nodes[node.parent?].file)));
        with_parent
            .filter(|(file, parent)| file != parent)
            .map(|(file, parent)| (self.files[file].clone(), self.files[parent].clone()))
            .collect()
    }

    /// All imports of one file by another.
    pub fn imports(&self) -> BTreeSet<Import> {
        (0..self.nodes.len()).flat_map(|node| self.imports_of(node)).collect()
    }

    fn imports_of(&self, node: usize) -> impl Iterator<Item = Import> {
        let module = &self.nodes[node].module;
        let uses = module.uses.iter().map(|one| (&one.path, one.line));
        let paths = module.paths.iter().map(|one| (&one.path, one.line));
        uses.chain(paths).filter_map(move |(path, line)| {
            let (from, to) =
                (self.nodes[node].file, self.nodes[self.find(node, path, &[])?.node()].file);
            (from != to).then(|| Import {
                from: self.files[from].clone(),
                line,
                path: path.join("::"),
                to: self.files[to].clone(),
            })
        })
    }

    /// Resolves a path. Returns `None` if it leads out of this crate or is unknown. `trail` holds
    /// the names that are being resolved, so that cyclic `use` declarations terminate.
    fn find(&self, node: usize, path: &[String], trail: &[(usize, &str)]) -> Option<Found> {
        let (first, rest) = path.split_first()?;
        let mut found = match first.as_str() {
            "crate" => Found::Module(0),
            "self" => Found::Module(node),
            "super" => Found::Module(self.nodes[node].parent?),
            name => self
                .look_up(node, name, trail)
                .filter(|found| !matches!(found, Found::ItemOf(n) if *n == node))?,
        };
        for name in rest {
            let Found::Module(module) = found else { break };
            found = match name.as_str() {
                "super" => Found::Module(self.nodes[module].parent?),
                name => self.look_up(module, name, trail).unwrap_or(Found::ItemOf(module)),
            };
        }
        Some(found)
    }

    /// Resolves a name in a module: a submodule, an item, or an imported name.
    fn look_up(&self, node: usize, name: &str, trail: &[(usize, &str)]) -> Option<Found> {
        let Node { children, module, .. } = &self.nodes[node];
        if let Some(child) = children.get(name) {
            return Some(Found::Module(*child));
        }
        if trail.contains(&(node, name)) {
            return None;
        }
        let trail = [trail, &[(node, name)]].concat();
        let mut named = module.uses.iter().filter(|one| one.name.as_deref() == Some(name));
        if let Some(found) = named.find_map(|one| self.find(node, &one.path, &trail)) {
            return Some(found);
        }
        if module.items.iter().any(|item| item == name) {
            return Some(Found::ItemOf(node));
        }
        let globs = module.uses.iter().filter(|one| one.name.is_none());
        globs.filter_map(|one| self.find(node, &one.path, &trail)).find_map(|found| match found {
            Found::Module(module) if module != node => self.look_up(module, name, &trail),
            _ => None,
        })
    }
}

fn parent_folder(path: &str) -> String {
    Path::new(path).parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A path relative to a folder, with `..` resolved.
fn joined(folder: &str, path: &str) -> String {
    let mut whole = PathBuf::from(folder);
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole.to_string_lossy().into_owned()
}
