//! A page of an app, and the shell the site puts around it.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html as HtmlBody, IntoResponse, Response};
use bellwire::{Html, Patch, accepts};
use bellwire_db::chain;
use url::{Position, Url};

use crate::errors::ErrorInfo;
use crate::shell::{About, AccountLinks, NavLink, Rendered, ShellPage};
use crate::viewer::Viewer;
use crate::{NavItem, SiteError, SiteState, next};

mod refusal;
mod submitted_fields;

pub(crate) use submitted_fields::keep_what_was_typed;

/// What an app shows: a title, what belongs into the `<head>`, and the content of `#main`.
///
/// As a response it is a whole page; the site adds the shell with the navigation and the account.
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
    /// What it is to those who share it: Open Graph's `og:type`.
    kind: &'static str,
    head: Vec<Head>,
    nav: Option<Html>,
    /// The address of its socket.
    connect: Option<Cow<'static, str>>,
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

    /// With a sentence or two about it, for search engines and for those who see a link to it (Open
    /// Graph).
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
    /// The path may be computed: `page.connect(format!("/ws/garden/{id}/"))`.
    #[must_use]
    pub fn connect(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.connect = Some(path.into());
        self
    }

    /// The same page as an answer over its socket: what `#nav` and `#main` become, the address, the
    /// title, and the focus on what is new.
    ///
    /// ```
    /// use bellwire::Html;
    /// use bellwire_web::Page;
    /// let about = Page::new("About us", Html::trusted("<h1>About us</h1>")).nav(Html::trusted("<a href=/blog/>Blog</a>"));
    /// let answer = |site: &bellwire_web::SiteState| about.moved(site, "/blog/about/"); // two patches
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
    pub fn next(mut self, next: &str) -> Self {
        next.clone_into(&mut self.next);
        self
    }

    fn render(
        &self,
        site: &SiteState,
        path: &str,
        viewer: Option<&Viewer>,
        of: Option<&NavItem>,
    ) -> Rendered {
        let build = site.assets().base();
        let link = |card: &NavItem| NavLink {
            label: card.title,
            href: card.path,
            current: Some(card) == of,
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
            build,
            theme: site.theme(),
            viewer,
            apps: site.cards().iter().map(link).collect(),
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

/// The last step of every response: pages get their shell, errors their page, and faults their line
/// in the log.
pub(crate) async fn finish(
    State(site): State<SiteState>,
    request: Request,
    next: Next,
) -> Response {
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    if let Some(cause) =
        response.extensions_mut().get_mut::<ErrorInfo>().and_then(|failed| failed.cause.take())
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

    /// Where to sign in and come back to the page that is asked for, or to the one whose form was
    /// sent.
    fn sign_in(&self, site: &SiteState) -> String {
        let here = match self.method {
            Method::GET | Method::HEAD => Some(format!("{}{}", self.path, self.query)),
            _ => self.form(site),
        };
        next::with("/accounts/login/", here.as_deref().unwrap_or_default())
    }

    fn form(&self, site: &SiteState) -> Option<String> {
        let url = Url::parse(&ascii(self.referer.as_ref()?)).ok()?;
        let ours =
            site.public_url().origins().any(|origin| origin == url.origin().ascii_serialization());
        ours.then(|| url[Position::BeforePath..Position::AfterQuery].to_owned())
    }
}

/// Whether a person with a browser is to read the answer, rather than a program.
pub fn wants_html(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

/// An address in a header, with the bytes beyond ASCII in percent-encoding.
fn ascii(address: &HeaderValue) -> String {
    address.as_bytes().iter().fold(String::new(), |mut text, byte| {
        match byte.is_ascii() {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

fn shelled(site: &SiteState, path: &str, mut response: Response, page: &Page) -> Response {
    let viewer = response.extensions().get::<Viewer>().cloned();
    let of = response.extensions().get::<NavItem>();
    let body = match page.render(site, path, viewer.as_ref(), of) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(path, %error, "Could not render the shell");
            return SiteError::internal(error).into_response();
        }
    };
    // Nobody else's cache keeps it. The browser's back/forward cache may: signing out empties it,
    // and bellwire.js looks whether a page that comes back is still its person's.
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
