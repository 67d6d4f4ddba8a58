//! One file of source, read for what it declares and what it names.

use proc_macro2::{Delimiter, TokenStream};

use crate::tokens::{Cursor, as_group, as_string, is_punct};

/// A module: a whole file, or one written inside a file.
#[derive(Debug, Default)]
pub struct Module {
    /// The names of its items, other than modules.
    pub items: Vec<String>,
    /// Its modules.
    pub modules: Vec<Declared>,
    /// Its `use` lines, one for each name.
    pub uses: Vec<Use>,
    /// Paths of two or more names, wherever they stand.
    pub paths: Vec<Named>,
}

/// `mod name;` or `mod name { … }`.
#[derive(Debug)]
pub struct Declared {
    /// What it is called.
    pub name: String,
    /// The file that `#[path]` names.
    pub path: Option<String>,
    /// Its content, if that stands here.
    pub body: Option<Module>,
}

/// One name of a `use`.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    /// The path that is imported.
    pub path: Vec<String>,
    /// What it is called here. Nothing, for a glob.
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

/// Which code is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is compiled without tests.
    Shipped,
    /// Tests too.
    Everything,
}

/// Reads a file. Nothing, if the whole of it is left out.
///
/// # Errors
/// The lexer's, when it is not Rust.
pub fn parse(text: &str, part: Part) -> Result<Option<Module>, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
    let mut reader = Reader { part, module: Module::default() };
    Ok(reader.module_body(tokens).then_some(reader.module))
}

struct Reader {
    part: Part,
    module: Module,
}

impl Reader {
    /// Reads items. False, when an inner attribute leaves all of them out.
    fn module_body(&mut self, tokens: TokenStream) -> bool {
        let mut cursor = Cursor::new(tokens);
        let mut path = None;
        while cursor.peek(0).is_some() {
            if let Some((attribute, is_inner)) = attribute(&mut cursor) {
                if self.leaves_out(&attribute) {
                    if is_inner {
                        return false;
                    }
                    skip_item(&mut cursor);
                } else {
                    path = path_of(&attribute).or(path);
                    self.code(attribute);
                }
            } else if !self.module_item(&mut cursor, &mut path) {
                self.step(&mut cursor);
            }
        }
        true
    }

    /// Reads `mod`, or notes the name of another item. False, when there is neither.
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
                self.declare(name, path.take(), body);
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

    fn declare(&mut self, name: String, path: Option<String>, body: Option<TokenStream>) {
        let body = match body {
            None => None,
            Some(tokens) => {
                let mut reader = Reader { part: self.part, module: Module::default() };
                if !reader.module_body(tokens) {
                    return;
                }
                Some(reader.module)
            }
        };
        self.module.modules.push(Declared { name, path, body });
    }

    /// Reads whatever is inside an item: paths, and `use` lines of functions.
    fn code(&mut self, tokens: TokenStream) {
        let mut cursor = Cursor::new(tokens);
        while cursor.peek(0).is_some() {
            match attribute(&mut cursor) {
                Some((attribute, _)) if self.leaves_out(&attribute) => skip_item(&mut cursor),
                Some((attribute, _)) => self.code(attribute),
                None => self.step(&mut cursor),
            }
        }
    }

    /// Reads one visibility, one `use`, one path, or one token.
    fn step(&mut self, cursor: &mut Cursor) {
        if cursor.ident(0).as_deref() == Some("pub") && cursor.group(1, Delimiter::Parenthesis).is_some() {
            // A visibility such as `pub(in crate::x)` is no import. A field's type is one: `pub (a::B)`.
            let inside = cursor.group(1, Delimiter::Parenthesis).map(|group| Cursor::new(group.stream()));
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

    fn leaves_out(&self, attribute: &TokenStream) -> bool {
        let cursor = Cursor::new(attribute.clone());
        self.part == Part::Shipped
            && cursor.ident(0).as_deref() == Some("cfg")
            && cursor.group(1, Delimiter::Parenthesis).is_some_and(|group| needs_tests(group.stream()))
    }
}

/// The names of a path up to its end, or to its first brackets.
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

/// The inside of an attribute that comes next, and whether it is an inner one.
fn attribute(cursor: &mut Cursor) -> Option<(TokenStream, bool)> {
    if !cursor.at("#") {
        return None;
    }
    let is_inner = is_punct(cursor.peek(1), '!');
    let inside = cursor.group(1 + usize::from(is_inner), Delimiter::Bracket)?.stream();
    cursor.skip(2 + usize::from(is_inner));
    Some((inside, is_inner))
}

/// The file of `path = "…"`.
fn path_of(attribute: &TokenStream) -> Option<String> {
    let cursor = Cursor::new(attribute.clone());
    (cursor.ident(0)? == "path").then(|| cursor.peek(2).and_then(as_string))?
}

/// Whether a condition of `cfg` cannot hold without `test`.
fn needs_tests(condition: TokenStream) -> bool {
    holds(&mut Cursor::new(condition)) == Some(false)
}

/// Whether the next condition holds without `test`; nothing, when that depends on something else.
fn holds(cursor: &mut Cursor) -> Option<bool> {
    let word = cursor.ident(0)?;
    let inside = cursor.group(1, Delimiter::Parenthesis).map(|group| Cursor::new(group.stream()));
    while cursor.peek(0).is_some() && !cursor.at(",") {
        cursor.skip(1);
    }
    let mut inside = match (word.as_str(), inside) {
        ("test", None) => return Some(false),
        (_, inside) => inside?,
    };
    let mut all = Vec::new();
    while inside.peek(0).is_some() {
        all.push(holds(&mut inside));
        inside.skip(1);
    }
    let unless_all = |wanted: bool, other: bool| {
        if all.contains(&Some(other)) {
            Some(other)
        } else {
            all.iter().all(|one| *one == Some(wanted)).then_some(wanted)
        }
    };
    match word.as_str() {
        "all" => unless_all(true, false),
        "any" => unless_all(false, true),
        "not" => all.first().copied().flatten().map(|held| !held),
        _ => None,
    }
}

/// Passes over the item, statement, field or arm that comes next.
fn skip_item(cursor: &mut Cursor) {
    while attribute(cursor).is_some() {}
    let ends_with_semicolon = ends_with_semicolon(cursor);
    while let Some(token) = cursor.take() {
        let is_end = is_punct(Some(&token), ';') || is_punct(Some(&token), ',');
        let is_body = as_group(&token).is_some_and(|group| group.delimiter() == Delimiter::Brace);
        if is_end || (is_body && !ends_with_semicolon) {
            break;
        }
    }
}

/// Whether braces are not the end of the item that comes next.
fn ends_with_semicolon(cursor: &Cursor) -> bool {
    let mut cursor = cursor.clone();
    if cursor.ident(0).as_deref() == Some("pub") {
        cursor.skip(1 + usize::from(cursor.group(1, Delimiter::Parenthesis).is_some()));
    }
    match cursor.ident(0).as_deref() {
        Some("use" | "static" | "type" | "let") => true,
        Some("const") => !matches!(cursor.ident(1).as_deref(), Some("fn" | "async" | "unsafe")),
        _ => false,
    }
}

/// The first names of all paths and `use` lines of a file, among them those of crates.
pub fn first_names(module: &Module) -> Vec<(String, usize)> {
    let uses = module.uses.iter().map(|one| (&one.path, one.line));
    let paths = module.paths.iter().map(|one| (&one.path, one.line));
    let here = uses.chain(paths).filter_map(|(path, line)| Some((path.first()?.clone(), line)));
    let below = module.modules.iter().filter_map(|one| one.body.as_ref()).flat_map(first_names);
    here.chain(below).collect()
}
