//! A text as the pieces our pages know. What is no piece here cannot be on the page.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Parser, Tag};

use crate::address;
use crate::characters::shows;
use crate::flavor::{Flavor, options};
use crate::sanitize::sanitize;

/// How deep lists and quotations are drawn; what is deeper is shown at this depth. Browsers are
/// slow where pages are deep.
const DEEPEST: usize = 8;
/// How many emphases may lie in each other.
const DEEPEST_INLINE: usize = 8;
/// How many links a text has. Each is ten times as long on the page as it was typed.
const MOST_LINKS: usize = 100;
/// How often indented text is looked into for what it says: an indented part of an indented part is
/// as deep as pasting goes.
const DEEPEST_INDENT: usize = 2;
/// The longest word behind a fence that is taken for a language.
const LANGUAGE_CHARS: usize = 32;

/// What a text is made of, in its order; each `Open` has its `Close`.
#[derive(Debug, PartialEq)]
pub enum Node {
    /// An element begins.
    Open(Element),
    /// The element that began last ends.
    Close,
    /// Text.
    Text(String),
    /// Code: of a [`Element::Fence`] all of it, elsewhere some words.
    Code(String),
    /// A new line.
    Break,
    /// A line across.
    Rule,
}

/// What pieces lie in.
#[derive(Debug, PartialEq)]
pub enum Element {
    /// A paragraph.
    Paragraph,
    /// A heading of level 2, 3 or 4: the first is the page's.
    Heading(u8),
    /// A quotation.
    Quote,
    /// A list.
    Bullets,
    /// A list with numbers, from this one on.
    Numbers(u64),
    /// A point of a list.
    Item,
    /// A block of code, and the language it says it is in: ASCII letters, digits and `+-#._` only.
    Fence(Option<String>),
    /// Important.
    Strong,
    /// Stressed.
    Emphasis,
    /// Taken back.
    Strike,
    /// A link, to an address we let people go to.
    Link(String),
}

impl Element {
    /// Whether it lies within a line.
    pub fn is_inline(&self) -> bool {
        matches!(self, Self::Strong | Self::Emphasis | Self::Strike | Self::Link(_))
    }
}

/// The pieces of a text. Where the markup leaves nothing to see (`***`, `-`, an empty fence), the
/// text is shown as it was typed.
pub(crate) fn of(text: &str, flavor: Flavor) -> Vec<Node> {
    let mut reader = Reader::new(flavor);
    reader.read(text, 0);
    if !reader.nodes.iter().any(seen) {
        reader.nodes.clear();
        reader.paragraph(text.trim());
    }
    reader.nodes
}

fn seen(node: &Node) -> bool {
    matches!(node, Node::Text(text) | Node::Code(text) if shows(text))
}

/// What the end of an element has to do.
enum Opened {
    /// It is not drawn: too deep, or a link that leads nowhere.
    Nothing,
    Block,
    /// A list or a quotation, which count towards the depth.
    Nested,
    Heading,
    Inline,
    /// A single `~` strikes nothing: `~5` means about.
    Tilde,
    /// A link whose text begins at this piece.
    Link(usize),
    /// Code, which is read as a whole: with what stands behind the fence, or without a fence.
    Code(Option<String>),
}

struct Reader {
    flavor: Flavor,
    nodes: Vec<Node>,
    opened: Vec<Opened>,
    /// Text that is not yet a piece: the parser cuts it wherever something might have had a
    /// meaning.
    run: String,
    nested: usize,
    inlines: usize,
    links: usize,
    in_link: bool,
}

impl Reader {
    fn new(flavor: Flavor) -> Self {
        let (nodes, opened, run) = (Vec::new(), Vec::new(), String::new());
        Self { flavor, nodes, opened, run, nested: 0, inlines: 0, links: 0, in_link: false }
    }

    fn read(&mut self, text: &str, indents: usize) {
        let text = sanitize(text);
        for (event, range) in Parser::new_ext(&text, options()).into_offset_iter() {
            match event {
                Event::Start(tag) => self.start(tag, &text[range]),
                Event::End(_) => self.end(indents),
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                    self.run.push_str(&text)
                }
                Event::Code(code) => self.node(Node::Code(code.into_string())),
                Event::SoftBreak if self.flavor == Flavor::Article => self.run.push(' '),
                Event::SoftBreak | Event::HardBreak => self.node(Node::Break),
                Event::Rule if self.flavor == Flavor::Article => self.node(Node::Rule),
                Event::Rule => self.paragraph(text[range].trim()),
                // Not asked for in `options`.
                Event::FootnoteReference(_)
                | Event::TaskListMarker(_)
                | Event::InlineMath(_)
                | Event::DisplayMath(_) => {}
            }
        }
        self.flush();
    }

    fn start(&mut self, tag: Tag<'_>, source: &str) {
        let opened = match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.open(Element::Paragraph, Opened::Block),
            Tag::Heading { level, .. } if self.flavor == Flavor::Article => {
                self.open(Element::Heading(below_title(level)), Opened::Block)
            }
            Tag::Heading { .. } => {
                self.node(Node::Open(Element::Paragraph));
                self.open(Element::Strong, Opened::Heading)
            }
            Tag::BlockQuote(_) => self.nest(Element::Quote),
            Tag::List(None) => self.nest(Element::Bullets),
            Tag::List(Some(first)) => self.nest(Element::Numbers(first)),
            Tag::Item => self.item(),
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => self.code(Some(info.trim().to_owned())),
            Tag::CodeBlock(CodeBlockKind::Indented) => self.code(None),
            Tag::Strong => self.inline(Element::Strong),
            Tag::Emphasis => self.inline(Element::Emphasis),
            Tag::Strikethrough if source.starts_with("~~") => self.inline(Element::Strike),
            Tag::Strikethrough => {
                self.run.push('~');
                Opened::Tilde
            }
            Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. } => {
                self.link(link_type, &dest_url)
            }
            _ => Opened::Nothing,
        };
        self.opened.push(opened);
    }

    fn end(&mut self, indents: usize) {
        match self.opened.pop() {
            None | Some(Opened::Nothing) => {}
            Some(Opened::Tilde) => self.run.push('~'),
            Some(Opened::Block) => self.node(Node::Close),
            Some(Opened::Heading) => {
                self.node(Node::Close);
                self.node(Node::Close);
            }
            Some(Opened::Nested) => {
                self.nested -= 1;
                self.node(Node::Close);
            }
            Some(Opened::Inline) => {
                self.inlines -= 1;
                self.node(Node::Close);
            }
            Some(Opened::Link(at)) => self.end_link(at),
            Some(Opened::Code(Some(info))) => self.fence(&info),
            Some(Opened::Code(None)) => self.indented(indents),
        }
    }

    fn open(&mut self, element: Element, opened: Opened) -> Opened {
        self.node(Node::Open(element));
        opened
    }

    fn nest(&mut self, element: Element) -> Opened {
        if self.nested == DEEPEST {
            return Opened::Nothing;
        }
        self.nested += 1;
        self.open(element, Opened::Nested)
    }

    /// An item is drawn where its list is. Elsewhere it is a line.
    fn item(&mut self) -> Opened {
        if matches!(self.opened.last(), Some(Opened::Nested)) {
            return self.open(Element::Item, Opened::Block);
        }
        self.flush();
        if !matches!(self.nodes.last(), None | Some(Node::Open(_) | Node::Break)) {
            self.nodes.push(Node::Break);
        }
        Opened::Nothing
    }

    fn inline(&mut self, element: Element) -> Opened {
        if self.inlines == DEEPEST_INLINE {
            return Opened::Nothing;
        }
        self.inlines += 1;
        self.open(element, Opened::Inline)
    }

    /// A link, or a picture, which is a link to it. A link in a link is its text.
    fn link(&mut self, kind: LinkType, address: &str) -> Opened {
        match address::href(kind, address) {
            Some(href) if !self.in_link && self.links < MOST_LINKS => {
                self.node(Node::Open(Element::Link(href)));
                self.in_link = true;
                self.links += 1;
                Opened::Link(self.nodes.len())
            }
            _ => Opened::Nothing,
        }
    }

    /// A link without a text to click on shows its address.
    fn end_link(&mut self, at: usize) {
        self.flush();
        if !self.nodes[at..].iter().any(seen)
            && let Some(Node::Open(Element::Link(href))) = self.nodes.get(at - 1)
        {
            let shown = Node::Text(href.clone());
            self.nodes.push(shown);
        }
        self.node(Node::Close);
        self.in_link = false;
    }

    fn code(&mut self, info: Option<String>) -> Opened {
        self.flush();
        Opened::Code(info)
    }

    /// What stands behind the fence is the language, or the code's first line: many begin to write
    /// right there.
    fn fence(&mut self, info: &str) {
        let code = std::mem::take(&mut self.run);
        let code = code.strip_suffix('\n').unwrap_or(&code);
        let language = language(info);
        let code = match &language {
            None if !info.is_empty() => format!("{info}\n{code}"),
            _ => code.to_owned(),
        };
        self.nodes.extend([Node::Open(Element::Fence(language)), Node::Code(code), Node::Close]);
    }

    /// People paste. An indented part is read like any other, without its indentation.
    fn indented(&mut self, indents: usize) {
        let text = std::mem::take(&mut self.run);
        let text = text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        match indents {
            DEEPEST_INDENT => self.paragraph(text.trim()),
            _ => self.read(&text, indents + 1),
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.node(Node::Open(Element::Paragraph));
        self.run.push_str(text);
        self.node(Node::Close);
    }

    fn node(&mut self, node: Node) {
        self.flush();
        self.nodes.push(node);
    }

    /// What has gathered becomes pieces: lines, and in them the bare addresses.
    fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        for (number, line) in run.trim_end_matches('\n').split('\n').enumerate() {
            if number > 0 {
                self.nodes.push(Node::Break);
            }
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        let mut done = 0;
        for address in
            address::in_text(line).take(if self.in_link { 0 } else { MOST_LINKS - self.links })
        {
            self.text(&line[done..address.start]);
            done = address.end;
            let shown = &line[address];
            self.nodes.push(Node::Open(Element::Link(address::href_of_bare(shown))));
            self.text(shown);
            self.nodes.push(Node::Close);
            self.links += 1;
        }
        self.text(&line[done..]);
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.nodes.push(Node::Text(text.to_owned()));
        }
    }
}

/// The page's title is the first heading. Many begin with `#` all the same, and as many with `##`.
fn below_title(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => 4,
    }
}

/// The one word behind a fence, if it looks like a language. It is an attribute later, so what it
/// may be is said here.
fn language(info: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '.' | '_');
    let is_word = !info.is_empty() && info.len() <= LANGUAGE_CHARS && info.chars().all(fits);
    is_word.then(|| info.to_ascii_lowercase())
}
