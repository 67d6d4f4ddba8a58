//! Cursor over Rust tokens. It uses the compiler's lexer, so comments and strings are never code.

use std::rc::Rc;

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

/// The tokens of one level, and a position. A clone shares the tokens.
#[derive(Debug, Clone)]
pub struct Cursor {
    tokens: Rc<[TokenTree]>,
    position: usize,
}

impl Cursor {
    /// A cursor before the first token.
    pub fn new(tokens: TokenStream) -> Self {
        Self { tokens: tokens.into_iter().collect(), position: 0 }
    }

    /// The token `further` tokens ahead, without advancing.
    pub fn peek(&self, further: usize) -> Option<&TokenTree> {
        self.tokens.get(self.position + further)
    }

    /// Returns the next token, and advances.
    pub fn take(&mut self) -> Option<TokenTree> {
        let token = self.tokens.get(self.position).cloned()?;
        self.position += 1;
        Some(token)
    }

    /// The tokens between this cursor and another one over the same tokens.
    pub fn until(&self, end: &Self) -> Vec<TokenTree> {
        self.tokens[self.position..end.position].to_vec()
    }

    /// Advances by `steps` tokens.
    pub fn skip(&mut self, steps: usize) {
        self.position = (self.position + steps).min(self.tokens.len());
    }

    /// Whether these joined punctuation characters are next.
    pub fn at(&self, signs: &str) -> bool {
        let last = signs.chars().count().saturating_sub(1);
        signs.chars().enumerate().all(|(n, sign)| match self.peek(n) {
            Some(TokenTree::Punct(punct)) => {
                punct.as_char() == sign && (n == last || punct.spacing() == Spacing::Joint)
            }
            _ => false,
        })
    }

    /// Whether these punctuation characters are `further` tokens ahead.
    pub fn at_after(&self, further: usize, signs: &str) -> bool {
        let mut after = self.clone();
        after.skip(further);
        after.at(signs)
    }

    /// The identifier `further` tokens ahead.
    pub fn ident(&self, further: usize) -> Option<String> {
        self.peek(further).and_then(as_ident).map(name)
    }

    /// The group `further` tokens ahead, if it has these brackets.
    pub fn group(&self, further: usize, brackets: Delimiter) -> Option<&Group> {
        self.peek(further).and_then(as_group).filter(|group| group.delimiter() == brackets)
    }

    /// The line of the next token, from 1.
    pub fn line(&self) -> usize {
        self.peek(0).map_or(0, |token| token.span().start().line)
    }
}

/// The identifier without a leading `r#`.
pub fn name(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

/// The token, if it is an identifier.
pub fn as_ident(token: &TokenTree) -> Option<&Ident> {
    match token {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    }
}

/// The token, if it is a group in brackets.
pub fn as_group(token: &TokenTree) -> Option<&Group> {
    match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    }
}

/// Whether the token is this punctuation character.
pub fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// The text of a plain or raw string literal.
pub fn as_string(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    let source = literal.to_string();
    if let Some(raw) = source.strip_prefix('r') {
        let raw = raw.trim_matches('#');
        return Some(raw.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    Some(unescaped(source.strip_prefix('"')?.strip_suffix('"')?))
}

/// Resolves escaped quotes, backslashes and line ends. Other escapes are kept as written.
fn unescaped(source: &str) -> String {
    let (mut text, mut signs) = (String::new(), source.chars().peekable());
    while let Some(sign) = signs.next() {
        match (sign, signs.peek()) {
            ('\\', Some('"' | '\\' | '\'')) => text.extend(signs.next()),
            ('\\', Some('\n')) => while signs.next_if(|sign| sign.is_whitespace()).is_some() {},
            _ => text.push(sign),
        }
    }
    text
}
