//! The document around a page: head, navigation, account and connection state.

use std::error::Error;
use std::fmt;

use askama::Template;
use bellwire::Html;

use crate::Viewer;

/// The rendered document, or the error of the template.
pub type Rendered = Result<String, Box<dyn Error + Send + Sync>>;

/// Renders the document around each page of a site: `Site::builder(…).shell(MyShell)`.
///
/// A shell is any template over a [`ShellPage`]. A live page needs three things of it:
/// [`ShellPage::live`] in the `<head>`, `#main` with `bw-connect`, and `#nav` where the page has its
/// own navigation.
///
/// ```
/// use bellwire_web::{Rendered, Shell, ShellPage};
///
/// #[derive(Debug)]
/// struct Plain;
///
/// impl Shell for Plain {
///     fn render(&self, page: &ShellPage<'_>) -> Rendered {
///         let (title, main) = (bellwire::Html::text(&page.title), page.main);
///         Ok(format!("<!doctype html><title>{title}</title><main id=\"main\">{main}</main>"))
///     }
/// }
/// ```
pub trait Shell: fmt::Debug + Send + Sync + 'static {
    /// Renders the document.
    ///
    /// # Errors
    /// Errors of the template. The request is answered with 500, and the error is logged.
    fn render(&self, page: &ShellPage<'_>) -> Rendered;
}

/// Everything a [`Shell`] shows. Strings are unescaped text; [`Html`] is markup.
#[derive(Debug)]
#[non_exhaustive]
pub struct ShellPage<'a> {
    /// The site's name.
    pub site: &'a str,
    /// The title of the document, the site's name included.
    pub title: String,
    /// The description for search engines and link previews, if the page has one.
    pub about: Option<About<'a>>,
    /// The style sheets, scripts and links of the page, for the `<head>`.
    pub head: Html,
    /// The navigation of the app, for `#nav`.
    pub nav: Option<&'a Html>,
    /// The path of the page's socket, for `bw-connect` on `#main`.
    pub connect: Option<&'a str>,
    /// The content of `#main`.
    pub main: &'a Html,
    /// The elements of the `<head>` that make the page live: bellwire.js, and for whom the page is.
    pub live: Html,
    /// The path prefix of static files: `/static/<build>`.
    pub build: &'a str,
    /// The site's own style sheets, as paths among the static files; they follow those of the
    /// default shell.
    pub theme: &'a [String],
    /// The signed-in person.
    pub viewer: Option<&'a Viewer>,
    /// The apps of the site, for its navigation.
    pub apps: Vec<NavLink<'a>>,
    /// The path to sign in and return to this page; `None` on a site without accounts.
    pub sign_in: Option<String>,
    /// The path to create an account, if sign-up is open.
    pub sign_up: Option<String>,
}

/// The description of a page, for search engines and link previews (Open Graph).
#[derive(Debug)]
#[non_exhaustive]
pub struct About<'a> {
    /// The page's title, without the site's name.
    pub title: &'a str,
    /// A sentence or two.
    pub text: &'a str,
    /// The `og:type`, such as `website` or `article`.
    pub kind: &'a str,
    /// The public address of the page.
    pub url: String,
}

/// An app in the site's navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NavLink<'a> {
    /// The app's name for people.
    pub label: &'a str,
    /// The path where the app begins.
    pub href: &'a str,
    /// Whether the page belongs to this app.
    pub current: bool,
}

/// The paths of the account pages, which the provider of accounts stores for the shell.
#[derive(Debug, Clone, Copy)]
pub struct AccountLinks {
    /// The path to sign in.
    pub sign_in: &'static str,
    /// The path to create an account; `None` if sign-up is closed.
    pub sign_up: Option<&'static str>,
}

/// The default shell.
#[derive(Debug)]
pub struct DefaultShell;

#[derive(Template)]
#[template(path = "shell.html")]
struct Document<'a> {
    page: &'a ShellPage<'a>,
}

impl Shell for DefaultShell {
    fn render(&self, page: &ShellPage<'_>) -> Rendered {
        Ok(Document { page }.render()?)
    }
}
