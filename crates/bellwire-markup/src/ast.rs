//! AST of a text. A construct that has no node here cannot appear on a page.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Parser, Tag};

use crate::address;
use crate::characters::shows;
use crate::flavor::{Flavor, options};
use crate::sanitize::sanitize;

/// The maximum nesting of lists and quotations; deeper ones are shown at this depth. Browsers are
/// slow with deeply nested pages.
const MAX_DEPTH: usize = 8;
/// The maximum nesting of inline elements.
const MAX_INLINE_DEPTH: usize = 8;
/// The maximum number of links in a text. Each is ten times as long in HTML as in the source.
const MAX_LINKS: usize = 100;
/// How many levels of indentation are parsed; pasted text rarely has more. Deeper text becomes a
/// paragraph.
const MAX_INDENT_DEPTH: usize = 2;
/// The maximum length of a language after a code fence, in characters.
const LANGUAGE_CHARS: usize = 32;

/// A node of a text, in document order. Each `Open` has a matching `Close`.
#[derive(Debug, PartialEq)]
pub enum Node {
    /// The start of an element.
    Open(Element),
    /// The end of the innermost open element.
    Close,
    /// Text.
    Text(String),
    /// Code: the whole content of an [`Element::Fence`], or inline code.
    Code(String),
    /// A line break.
    Break,
    /// A horizontal rule.
    Rule,
}

/// An element that contains nodes.
#[derive(Debug, PartialEq)]
pub enum Element {
    /// A paragraph.
    Paragraph,
    /// A heading of level 2, 3 or 4. Level 1 is the page's title.
    Heading(u8),
    /// A quotation.
    Quote,
    /// A bullet list.
    Bullets,
    /// A numbered list, with its first number.
    Numbers(u64),
    /// An item of a list.
    Item,
    /// A block of code and its language, which has only ASCII letters, digits and `+-#._`.
    Fence(Option<String>),
    /// Strong emphasis.
    Strong,
    /// Emphasis.
    Emphasis,
    /// Strikethrough.
    Strike,
    /// A link with a permitted target.
    Link(String),
}

impl Element {
    /// Whether the element is inline.
    pub fn is_inline(&self) -> bool {
        matches!(self, Self::Strong | Self::Emphasis | Self::Strike | Self::Link(_))
    }
}

/// Parses a text into nodes. If the result is invisible (`***`, `-`, an empty fence), the text is
/// shown as it was typed.
pub(crate) fn parse(text: &str, flavor: Flavor) -> Vec<Node> {
    let mut reader = Reader::new(flavor);
    reader.read(text, 0);
    if !reader.nodes.iter().any(is_visible) {
        reader.nodes.clear();
        reader.paragraph(text.trim());
    }
    reader.nodes
}

fn is_visible(node: &Node) -> bool {
    matches!(node, Node::Text(text) | Node::Code(text) if shows(text))
}

/// An open element, as its end has to treat it.
enum Opened {
    /// Not rendered: too deep, or a link without a permitted target.
    Nothing,
    Block,
    /// A list or a quotation, which count towards [`MAX_DEPTH`].
    Nested,
    Heading,
    Inline,
    /// A single `~`, which is text: `~5` means "about 5".
    Tilde,
    /// A link whose text begins at this node.
    Link(usize),
    /// Code, which is read as a whole: with the info string of its fence, or indented.
    Code(Option<String>),
}

struct Reader {
    flavor: Flavor,
    nodes: Vec<Node>,
    opened: Vec<Opened>,
    /// Text that is not yet a node: the parser splits text at every character that might be markup.
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
                // Not enabled in `options`.
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
        if self.nested == MAX_DEPTH {
            return Opened::Nothing;
        }
        self.nested += 1;
        self.open(element, Opened::Nested)
    }

    /// Opens an item if its list is open. Otherwise the item becomes a line.
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
        if self.inlines == MAX_INLINE_DEPTH {
            return Opened::Nothing;
        }
        self.inlines += 1;
        self.open(element, Opened::Inline)
    }

    /// A link, or a picture, which is a link to it. A link in a link is its text.
    fn link(&mut self, kind: LinkType, address: &str) -> Opened {
        match address::href(kind, address) {
            Some(href) if !self.in_link && self.links < MAX_LINKS => {
                self.node(Node::Open(Element::Link(href)));
                self.in_link = true;
                self.links += 1;
                Opened::Link(self.nodes.len())
            }
            _ => Opened::Nothing,
        }
    }

    /// Ends a link. A link without visible text shows its address.
    fn end_link(&mut self, at: usize) {
        self.flush();
        if !self.nodes[at..].iter().any(is_visible)
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

    /// Ends a fenced block. The info string is its language, or else its first line, since many
    /// people begin the code there.
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

    /// Parses an indented block like any other text, without its indentation, since it is mostly
    /// pasted text.
    fn indented(&mut self, indents: usize) {
        let text = std::mem::take(&mut self.run);
        let text = text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        match indents {
            MAX_INDENT_DEPTH => self.paragraph(text.trim()),
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

    /// Converts the collected text to nodes: lines, and the bare addresses in them.
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
            address::in_text(line).take(if self.in_link { 0 } else { MAX_LINKS - self.links })
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

/// Maps a heading below the page's title, which is level 1. People begin with `#` or with `##`.
fn below_title(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => 4,
    }
}

/// Returns the info string if it is one word that looks like a language. It becomes an attribute,
/// so its characters are restricted here.
fn language(info: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '.' | '_');
    let is_word = !info.is_empty() && info.len() <= LANGUAGE_CHARS && info.chars().all(fits);
    is_word.then(|| info.to_ascii_lowercase())
}
