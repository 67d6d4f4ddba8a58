//! Pages: an app returns title and content, and the site adds the document around it.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bellwire::{Html, Identity, Patch, Refusal};

use crate::shell::{About, AccountLinks, NavLink, Rendered, ShellPage};
use crate::viewer::Viewer;
use crate::{NavItem, SiteState, next};

mod finish;
mod refusal;
mod submitted_fields;

pub(crate) use finish::finish;
pub(crate) use submitted_fields::keep_submitted_fields;

/// A page of an app: a title, additions to the `<head>`, and the content of `#main`.
///
/// As a response it is a whole document: the site adds the shell with navigation and account.
///
/// ```
/// use bellwire::Html;
/// use bellwire_web::Page;
/// let page = Page::new("Rooms", Html::trusted("<h1>Rooms</h1>")).style("chat/chat.css");
/// # let _ = page;
/// ```
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    description: Option<String>,
    /// The `og:type` of Open Graph.
    kind: &'static str,
    head: Vec<Head>,
    nav: Option<Html>,
    /// The path of its socket.
    connect: Option<Cow<'static, str>>,
    main: Html,
    status: StatusCode,
    /// The page to open after signing in from here.
    next: String,
}

#[derive(Debug, Clone)]
enum Head {
    Style(String),
    Script(String),
    Html(Html),
}

impl Page {
    /// Creates a page with this title and this content.
    pub fn new(title: impl Into<String>, main: Html) -> Self {
        Self {
            title: title.into(),
            description: None,
            kind: "website",
            head: Vec::new(),
            nav: None,
            connect: None,
            main,
            status: StatusCode::OK,
            next: String::new(),
        }
    }

    /// Sets a description of one or two sentences, for search engines and link previews (Open
    /// Graph).
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Sets the `og:type` for link previews, such as `article`. The default is `website`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the app's own navigation, which appears in `#nav` above `#main`.
    #[must_use]
    pub fn nav(mut self, html: Html) -> Self {
        self.nav = Some(html);
        self
    }

    /// Connects the page to the socket at this path, which stays open while frames change `#nav`
    /// and `#main`. The path may be computed: `page.connect(format!("/ws/garden/{id}/"))`.
    #[must_use]
    pub fn connect(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.connect = Some(path.into());
        self
    }

    /// Returns the patches that show this page over a socket: `#nav` and `#main`, the address, the
    /// title, and the focus on `#main`.
    ///
    /// ```
    /// use bellwire::Html;
    /// use bellwire_web::Page;
    /// let about = Page::new("About us", Html::trusted("<h1>About us</h1>"))
    ///     .nav(Html::trusted("<a href=/blog/>Blog</a>"));
    /// // Returns two patches.
    /// let answer = |site: &bellwire_web::SiteState| about.moved(site, "/blog/about/");
    /// # let _ = answer;
    /// ```
    pub fn moved(&self, site: &SiteState, url: &str) -> Vec<Patch> {
        let nav = self.nav.clone().map(|nav| Patch::inner("#nav", nav));
        let main = Patch::inner("#main", self.main.clone())
            .url(url)
            .title(self.full_title(site.name()))
            .focus("#main");
        nav.into_iter().chain([main]).collect()
    }

    fn full_title(&self, site: &str) -> String {
        if self.title.is_empty() { site.to_owned() } else { format!("{} · {site}", self.title) }
    }

    /// Adds a style sheet, by its path among the static files: `chat/chat.css`.
    #[must_use]
    pub fn style(mut self, path: impl Into<String>) -> Self {
        self.head.push(Head::Style(path.into()));
        self
    }

    /// Adds an ES module, by its path among the static files: `chat/composer_controller.js`.
    #[must_use]
    pub fn script(mut self, path: impl Into<String>) -> Self {
        self.head.push(Head::Script(path.into()));
        self
    }

    /// Adds HTML to the `<head>`.
    #[must_use]
    pub fn head(mut self, html: Html) -> Self {
        self.head.push(Head::Html(html));
        self
    }

    /// Sets a status other than 200, such as 422 for a form with errors.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Sets the page to open after signing in or up from the header.
    pub fn next(mut self, next: &str) -> Self {
        next.clone_into(&mut self.next);
        self
    }

    fn render(
        &self,
        site: &SiteState,
        path: &str,
        viewer: Option<&Viewer>,
        owner: Option<&Identity>,
        app: Option<&NavItem>,
    ) -> Rendered {
        let build = site.assets().base();
        let link = |item: &NavItem| NavLink {
            label: item.title,
            href: item.path,
            current: Some(item) == app,
        };
        let accounts = site.get::<AccountLinks>();
        site.shell().render(&ShellPage {
            site: site.name(),
            title: self.full_title(site.name()),
            about: self.about(site, path),
            head: Html::trusted(self.head.iter().map(|head| head.html(build)).collect::<String>()),
            nav: self.nav.as_ref(),
            connect: self.connect.as_deref(),
            main: &self.main,
            live: live(site, owner),
            build,
            theme: site.theme(),
            viewer,
            apps: site.nav_items().iter().map(link).collect(),
            sign_in: accounts.map(|links| next::with(links.sign_in, &self.next)),
            sign_up: accounts
                .and_then(|links| links.sign_up)
                .map(|path| next::with(path, &self.next)),
        })
    }

    fn about<'a>(&'a self, site: &'a SiteState, path: &str) -> Option<About<'a>> {
        let title = if self.title.is_empty() { site.name() } else { &self.title };
        let url = || site.public_url().absolute(path);
        self.description.as_deref().map(|text| About { title, text, kind: self.kind, url: url() })
    }
}

/// The elements of the `<head>` that make a page live, for whoever the page is.
fn live(site: &SiteState, owner: Option<&Identity>) -> Html {
    let head = site.bellwire().head().script(format!("{}/bellwire.js", site.build()));
    match owner.and_then(Identity::owner) {
        Some(key) => head.person(key).html(),
        None => head.html(),
    }
}

/// Stores the page in the response for `finish`, which knows the site and the viewer.
impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        // A page with the errors of a form answers the form.
        if self.status.is_client_error() {
            Refusal::general("").status(self.status).mark(&mut response);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl Head {
    fn html(&self, build: &str) -> String {
        match self {
            Self::Style(path) => {
                format!("<link rel=\"stylesheet\" href=\"{build}/{}\">", Html::text(path))
            }
            Self::Script(path) => {
                format!("<script type=\"module\" src=\"{build}/{}\"></script>", Html::text(path))
            }
            Self::Html(html) => html.to_string(),
        }
    }
}
