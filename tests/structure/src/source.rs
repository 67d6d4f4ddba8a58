//! Parser of one source file: its items, modules, imports and paths.

use proc_macro2::{Delimiter, TokenStream};

use crate::shipped::attribute;
use crate::tokens::{Cursor, as_group, as_string};

/// A module: a file, or an inline module.
#[derive(Debug, Default)]
pub struct Module {
    /// The names of its items, other than modules.
    pub items: Vec<String>,
    /// Its modules.
    pub modules: Vec<Declared>,
    /// Its `use` declarations, one for each name.
    pub uses: Vec<Use>,
    /// All paths of two or more names.
    pub paths: Vec<Named>,
}

/// `mod name;` or `mod name { … }`.
#[derive(Debug)]
pub struct Declared {
    /// The name.
    pub name: String,
    /// The file that `#[path]` names.
    pub path: Option<String>,
    /// Its content, if it is inline.
    pub body: Option<Module>,
}

/// One name of a `use` declaration.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    /// The path that is imported.
    pub path: Vec<String>,
    /// The local name. `None` for a glob.
    pub name: Option<String>,
    /// The line, from 1.
    pub line: usize,
}

/// A path in the code.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// Its names.
    pub path: Vec<String>,
    /// The line, from 1.
    pub line: usize,
}

/// Parses the tokens of a file.
pub fn module(tokens: TokenStream) -> Module {
    let mut reader = Reader::default();
    reader.module_body(tokens);
    reader.module
}

#[derive(Default)]
struct Reader {
    module: Module,
}

impl Reader {
    fn module_body(&mut self, tokens: TokenStream) {
        let mut cursor = Cursor::new(tokens);
        let mut path = None;
        while cursor.peek(0).is_some() {
            if let Some(attribute) = attribute(&mut cursor) {
                path = path_of(&attribute.inside).or(path);
                self.code(attribute.inside);
            } else if !self.module_item(&mut cursor, &mut path) {
                self.step(&mut cursor);
            }
        }
    }

    /// Reads a module, or records the name of another item. Returns `false` if the tokens are
    /// neither.
    fn module_item(&mut self, cursor: &mut Cursor, path: &mut Option<String>) -> bool {
        let (Some(word), Some(name)) = (cursor.ident(0), cursor.ident(1)) else {
            if cursor.ident(0).as_deref() == Some("macro_rules") {
                self.module.items.extend(cursor.ident(2));
            }
            return false;
        };
        match word.as_str() {
            "mod" => {
                let body = cursor.group(2, Delimiter::Brace).map(proc_macro2::Group::stream);
                cursor.skip(3);
                self.module.modules.push(Declared {
                    name,
                    path: path.take(),
                    body: body.map(module),
                });
                return true;
            }
            "struct" | "enum" | "union" | "trait" | "type" | "fn" | "const" | "static" => {
                *path = None;
                self.module.items.push(name);
            }
            _ => {}
        }
        false
    }

    /// Reads the content of an item: paths, and `use` declarations in functions.
    fn code(&mut self, tokens: TokenStream) {
        let mut cursor = Cursor::new(tokens);
        while cursor.peek(0).is_some() {
            self.step(&mut cursor);
        }
    }

    /// Reads one visibility, one `use`, one path, or one token.
    fn step(&mut self, cursor: &mut Cursor) {
        if cursor.ident(0).as_deref() == Some("pub")
            && cursor.group(1, Delimiter::Parenthesis).is_some()
        {
            // A visibility such as `pub(in crate::x)` is not an import. A field's type is one:
            // `pub (a::B)`.
            let inside =
                cursor.group(1, Delimiter::Parenthesis).map(|group| Cursor::new(group.stream()));
            let first = inside.and_then(|inside| inside.ident(0));
            let is_scope = matches!(first.as_deref(), Some("crate" | "super" | "self" | "in"));
            cursor.skip(if is_scope { 2 } else { 1 });
        } else if cursor.ident(0).as_deref() == Some("use") {
            cursor.skip(1);
            self.use_line(cursor);
        } else if cursor.at("::") {
            // The rest of a path such as `<T>::a::b`, or the path of another crate.
            cursor.skip(2);
            names(cursor);
        } else if cursor.ident(0).is_some() {
            self.path(cursor);
        } else if let Some(group) = cursor.take().as_ref().and_then(as_group) {
            self.code(group.stream());
        }
    }

    fn path(&mut self, cursor: &mut Cursor) {
        let line = cursor.line();
        let path = names(cursor);
        if path.len() > 1 {
            self.module.paths.push(Named { path, line });
        }
    }

    fn use_line(&mut self, cursor: &mut Cursor) {
        let mut path = Vec::new();
        self.use_tree(cursor, &mut path);
        if cursor.at(";") {
            cursor.skip(1);
        }
    }

    fn use_tree(&mut self, cursor: &mut Cursor, path: &mut Vec<String>) {
        let (line, depth) = (cursor.line(), path.len());
        loop {
            if cursor.at("::") {
                cursor.skip(2);
            } else if cursor.at("*") {
                cursor.skip(1);
                self.module.uses.push(Use { path: path.clone(), name: None, line });
                break;
            } else if let Some(group) = cursor.group(0, Delimiter::Brace) {
                let mut inside = Cursor::new(group.stream());
                while inside.peek(0).is_some() {
                    self.use_tree(&mut inside, path);
                    inside.skip(1);
                }
                cursor.skip(1);
                break;
            } else if let Some(name) = cursor.ident(0) {
                cursor.skip(1);
                if name != "self" || path.is_empty() {
                    path.push(name);
                }
                if !cursor.at("::") {
                    let name = renamed(cursor).or_else(|| path.last().cloned());
                    self.module.uses.push(Use { path: path.clone(), name, line });
                    break;
                }
            } else {
                break;
            }
        }
        path.truncate(depth);
    }
}

/// The names of a path up to its end, or to its first bracket.
fn names(cursor: &mut Cursor) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(name) = cursor.ident(0) {
        names.push(name);
        cursor.skip(1);
        if !(cursor.at("::") && cursor.ident(2).is_some()) {
            break;
        }
        cursor.skip(2);
    }
    names
}

fn renamed(cursor: &mut Cursor) -> Option<String> {
    if cursor.ident(0).as_deref() != Some("as") {
        return None;
    }
    let name = cursor.ident(1);
    cursor.skip(2);
    name
}

/// The file of `path = "…"`.
fn path_of(attribute: &TokenStream) -> Option<String> {
    let cursor = Cursor::new(attribute.clone());
    (cursor.ident(0)? == "path").then(|| cursor.peek(2).and_then(as_string))?
}

/// The first names of all paths and `use` declarations of a file, including those of crates.
pub fn first_names(module: &Module) -> Vec<(String, usize)> {
    let uses = module.uses.iter().map(|one| (&one.path, one.line));
    let paths = module.paths.iter().map(|one| (&one.path, one.line));
    let here = uses.chain(paths).filter_map(|(path, line)| Some((path.first()?.clone(), line)));
    let below = module.modules.iter().filter_map(|one| one.body.as_ref()).flat_map(first_names);
    here.chain(below).collect()
}
