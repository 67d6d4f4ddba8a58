//! Pages: an app returns title and content, and the site adds the document around it.

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

/// Stores the page in the response for `finish`, which knows the site and the viewer.
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

/// Middleware that finishes each response: renders pages in the shell and errors as pages, and logs
/// internal errors.
pub(crate) async fn finish(
    State(site): State<SiteState>,
    request: Request,
    next: Next,
) -> Response {
    let info = RequestInfo::of(&request);
    let mut response = next.run(request).await;
    if let Some(cause) =
        response.extensions_mut().get_mut::<ErrorInfo>().and_then(|error| error.cause.take())
    {
        let error = chain(&*cause);
        tracing::error!(method = %info.method, path = %info.path, error, "A request failed");
    }
    if response.extensions().get::<Page>().is_none() && info.wants_html {
        response = refusal::as_page(response, info.sign_in(&site)).await;
    }
    if response.status().is_client_error() || response.status().is_server_error() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    }
    match response.extensions_mut().remove::<Page>() {
        Some(page) => with_shell(&site, &info.path, response, &page),
        None => response,
    }
}

/// The properties of a request that its response needs.
struct RequestInfo {
    method: Method,
    path: String,
    query: String,
    /// The page that sent the request, according to the browser.
    referer: Option<HeaderValue>,
    wants_html: bool,
}

impl RequestInfo {
    fn of(request: &Request) -> Self {
        let (method, uri, headers) = (request.method().clone(), request.uri(), request.headers());
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let (path, referer) = (uri.path().to_owned(), headers.get(header::REFERER).cloned());
        Self { method, path, query, referer, wants_html: wants_html(headers) }
    }

    /// Returns the path to sign in and return to the requested page, or to the page of the
    /// submitted form.
    fn sign_in(&self, site: &SiteState) -> String {
        let here = match self.method {
            Method::GET | Method::HEAD => Some(format!("{}{}", self.path, self.query)),
            _ => self.form_page(site),
        };
        next::with("/accounts/login/", here.as_deref().unwrap_or_default())
    }

    fn form_page(&self, site: &SiteState) -> Option<String> {
        let url = Url::parse(&ascii(self.referer.as_ref()?)).ok()?;
        let is_own =
            site.public_url().origins().any(|origin| origin == url.origin().ascii_serialization());
        is_own.then(|| url[Position::BeforePath..Position::AfterQuery].to_owned())
    }
}

/// Whether the client accepts HTML: a browser rather than a program.
pub fn wants_html(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

/// Percent-encodes the non-ASCII bytes of an address in a header.
fn ascii(address: &HeaderValue) -> String {
    address.as_bytes().iter().fold(String::new(), |mut text, byte| {
        match byte.is_ascii() {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

fn with_shell(site: &SiteState, path: &str, mut response: Response, page: &Page) -> Response {
    let viewer = response.extensions().get::<Viewer>().cloned();
    let app = response.extensions().get::<NavItem>();
    let body = match page.render(site, path, viewer.as_ref(), app) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(path, %error, "Could not render the shell");
            return SiteError::internal(error).into_response();
        }
    };
    // Shared caches must not store it. The browser's back/forward cache may: signing out clears it,
    // and bellwire.js checks that a restored page still belongs to the signed-in person.
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
