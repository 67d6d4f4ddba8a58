//! A page of an app, and the shell the site puts around it.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html as HtmlBody, IntoResponse, Response};
use bellwire::{Html, Patch};
use bellwire_db::chain;
use url::{Position, Url};

use crate::accounts::{SignedIn, next};
use crate::errors::Failed;
use crate::{Card, SiteError, SiteState};

mod refusal;
mod typed;

/// What every page's title ends with.
const SITE: &str = "Bellwire";

pub(crate) use typed::keep_what_was_typed;

/// What an app shows: a title, what belongs into the `<head>`, and the content of `#main`.
///
/// As a response it is a whole page; the site adds the shell with the navigation and the account.
///
/// ```
/// use bellwire::Html;
/// use bellwire_site::Page;
/// let page = Page::new("Rooms", Html::trusted("<h1>Rooms</h1>")).style("chat/chat.css");
/// # let _ = page;
/// ```
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    description: Option<String>,
    /// What it is to those who share it: Open Graph's `og:type`.
    kind: &'static str,
    head: Vec<Head>,
    nav: Option<Html>,
    /// The address of its socket.
    connect: Option<&'static str>,
    main: Html,
    status: StatusCode,
    /// Where whoever signs in from here wants to go on.
    next: String,
}

#[derive(Debug, Clone)]
enum Head {
    Style(String),
    Script(String),
    Html(Html),
}

impl Page {
    /// A page with this title and this content.
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

    /// With a sentence or two about it, for search engines and for those who see a link to it (Open Graph).
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// What it is to those who see a link to it: an `og:type` such as `article`; else a `website`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// With the app's own navigation, which stands in `#nav` above `#main`.
    #[must_use]
    pub fn nav(mut self, html: Html) -> Self {
        self.nav = Some(html);
        self
    }

    /// With a socket at this path, which stays while frames change what is in `#nav` and `#main`.
    #[must_use]
    pub fn connect(mut self, path: &'static str) -> Self {
        self.connect = Some(path);
        self
    }

    /// The same page as an answer over its socket: what `#nav` and `#main` become, the address, the title, and the focus on what is new.
    ///
    /// ```
    /// use bellwire::Html;
    /// use bellwire_site::Page;
    /// let about = Page::new("About us", Html::trusted("<h1>About us</h1>")).nav(Html::trusted("<a href=/blog/>Blog</a>"));
    /// assert_eq!(about.moved("/blog/about/").len(), 2);
    /// ```
    pub fn moved(&self, url: &str) -> Vec<Patch> {
        let nav = self.nav.clone().map(|nav| Patch::inner("#nav", nav));
        let main = Patch::inner("#main", self.main.clone()).url(url).title(self.full_title()).focus("#main");
        nav.into_iter().chain([main]).collect()
    }

    fn full_title(&self) -> String {
        if self.title.is_empty() { SITE.to_owned() } else { format!("{} · {SITE}", self.title) }
    }

    /// With a style sheet, by its path among the static files: `chat/chat.css`.
    #[must_use]
    pub fn style(mut self, path: impl Into<String>) -> Self {
        self.head.push(Head::Style(path.into()));
        self
    }

    /// With an ES module, by its path among the static files: `chat/composer_controller.js`.
    #[must_use]
    pub fn script(mut self, path: impl Into<String>) -> Self {
        self.head.push(Head::Script(path.into()));
        self
    }

    /// With something else in the `<head>`.
    #[must_use]
    pub fn head(mut self, html: Html) -> Self {
        self.head.push(Head::Html(html));
        self
    }

    /// With another status than 200, such as 422 for a form with errors.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Whoever signs in or up from the header goes on there.
    pub(crate) fn next(mut self, next: &str) -> Self {
        next.clone_into(&mut self.next);
        self
    }

    fn render(
        &self,
        site: &SiteState,
        path: &str,
        viewer: Option<&SignedIn>,
        of: Option<&Card>,
    ) -> Result<String, askama::Error> {
        let build = site.assets().base();
        let head = self.head.iter().map(|head| head.html(build)).collect();
        let nav = site.cards().iter().map(|card| NavItem {
            label: card.title,
            href: card.path,
            current: Some(card) == of,
        });
        let user = viewer.map(|viewer| ShellUser {
            name: &viewer.user.name,
            id: viewer.user.id,
            is_admin: viewer.user.is_admin,
        });
        let sign_in = next::with("/accounts/login/", &self.next);
        let sign_up = site.accounts().is_open().then(|| next::with("/accounts/signup/", &self.next));
        let about = self.description.as_deref().map(|text| About {
            title: if self.title.is_empty() { SITE } else { &self.title },
            text,
            kind: self.kind,
            url: site.public_url().absolute(path),
        });
        Shell {
            title: self.full_title(),
            about,
            head,
            own_nav: self.nav.as_ref().map(Html::as_str),
            connect: self.connect,
            main: self.main.as_str(),
            build,
            user,
            nav: nav.collect(),
            sign_in,
            sign_up,
        }
        .render()
    }
}

/// Left on the response for `finish`, which knows the site and who is looking.
impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Head {
    fn html(&self, build: &str) -> String {
        match self {
            Self::Style(path) => format!("<link rel=\"stylesheet\" href=\"{build}/{}\">", Html::text(path)),
            Self::Script(path) => {
                format!("<script type=\"module\" src=\"{build}/{}\"></script>", Html::text(path))
            }
            Self::Html(html) => html.to_string(),
        }
    }
}

#[derive(Template)]
#[template(path = "shell.html")]
struct Shell<'a> {
    title: String,
    about: Option<About<'a>>,
    head: String,
    own_nav: Option<&'a str>,
    connect: Option<&'a str>,
    main: &'a str,
    build: &'a str,
    user: Option<ShellUser<'a>>,
    nav: Vec<NavItem<'a>>,
    sign_in: String,
    /// Where to sign up, when everybody may.
    sign_up: Option<String>,
}

/// What others say of a page.
struct About<'a> {
    title: &'a str,
    text: &'a str,
    kind: &'a str,
    url: String,
}

struct ShellUser<'a> {
    name: &'a str,
    id: i64,
    is_admin: bool,
}

struct NavItem<'a> {
    label: &'a str,
    href: &'a str,
    current: bool,
}

/// The last step of every response: pages get their shell, errors their page, and faults their line in the log.
pub(crate) async fn finish(State(site): State<SiteState>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    if let Some(cause) = response.extensions_mut().get_mut::<Failed>().and_then(|failed| failed.cause.take())
    {
        let error = chain(&*cause);
        tracing::error!(method = %asked.method, path = %asked.path, error, "A request failed");
    }
    if response.extensions().get::<Page>().is_none() && asked.wants_html {
        response = refusal::as_page(response, asked.sign_in(&site)).await;
    }
    if response.status().is_client_error() || response.status().is_server_error() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    }
    match response.extensions_mut().remove::<Page>() {
        Some(page) => shelled(&site, &asked.path, response, &page),
        None => response,
    }
}

/// What the request was about, kept for its response.
struct Asked {
    method: Method,
    path: String,
    query: String,
    /// The page it was asked from, as the browser says.
    referer: Option<HeaderValue>,
    wants_html: bool,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let (method, uri, headers) = (request.method().clone(), request.uri(), request.headers());
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let (path, referer) = (uri.path().to_owned(), headers.get(header::REFERER).cloned());
        Self { method, path, query, referer, wants_html: wants_html(headers) }
    }

    /// Where to sign in and come back to the page that is asked for, or to the one whose form was sent.
    fn sign_in(&self, site: &SiteState) -> String {
        let here = match self.method {
            Method::GET | Method::HEAD => Some(format!("{}{}", self.path, self.query)),
            _ => self.form(site),
        };
        next::with("/accounts/login/", here.as_deref().unwrap_or_default())
    }

    fn form(&self, site: &SiteState) -> Option<String> {
        let url = Url::parse(self.referer.as_ref()?.to_str().ok()?).ok()?;
        let ours = site.public_url().origins().any(|origin| origin == url.origin().ascii_serialization());
        ours.then(|| url[Position::BeforePath..Position::AfterQuery].to_owned())
    }
}

/// Whether a person with a browser is to read the answer, rather than a program.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.into_iter().any(|value| value.contains("text/html"))
}

fn shelled(site: &SiteState, path: &str, mut response: Response, page: &Page) -> Response {
    let viewer = response.extensions().get::<SignedIn>().cloned();
    let of = response.extensions().get::<Card>();
    let body = match page.render(site, path, viewer.as_ref(), of) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(path, %error, "Could not render the shell");
            return SiteError::internal(error).into_response();
        }
    };
    // Nobody else's cache keeps it. The browser's back/forward cache may: signing out empties it, and bellwire.js looks whether a page that
    // comes back is still its person's.
    let cache = "private, no-cache";
    let content = HtmlBody(body).into_response();
    *response.body_mut() = content.into_body();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if !headers.get_all(header::VARY).iter().any(|vary| vary == "Cookie") {
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
    headers.remove(header::CONTENT_LENGTH);
    response
}
