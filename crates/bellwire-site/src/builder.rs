//! `Builder`: assembles a site from settings, apps and options.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::http::Extensions;
use axum::response::IntoResponse;
use axum::routing::Route;
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};

use crate::app::App;
use crate::background::Background;
use crate::command::Command;
use crate::{Settings, SettingsError, SiteState};
use bellwire_web::ContentSecurityPolicy;
use bellwire_web::{DefaultShell, Shell};

/// Builds a site from its settings, name, shell, apps, layers, tasks and commands.
///
/// ```no_run
/// use axum::Router;
/// use axum::routing::get;
/// use bellwire_site::{App, Settings, Site};
///
/// fn main() -> std::process::ExitCode {
///     let garden = App::new("garden").router(Router::new().route("/", get(async || "Roses")));
///     Site::builder(Settings::from_environment()).name("Garden").home(garden).run()
/// }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it runs"]
pub struct Builder {
    pub(crate) settings: Result<Settings, SettingsError>,
    pub(crate) name: String,
    pub(crate) about: &'static str,
    pub(crate) version: &'static str,
    pub(crate) apps: Vec<App>,
    pub(crate) shell: Box<dyn Shell>,
    pub(crate) theme: Vec<String>,
    pub(crate) layers: Layers,
    pub(crate) policy: ContentSecurityPolicy,
    pub(crate) values: Extensions,
    pub(crate) background: Vec<Background>,
    pub(crate) commands: Vec<Command>,
}

/// The tower layers around a site, innermost first.
#[derive(Default)]
pub(crate) struct Layers(Vec<Box<dyn FnOnce(Router) -> Router + Send>>);

impl Layers {
    pub(crate) fn around(self, router: Router) -> Router {
        self.0.into_iter().fold(router, |router, layer| layer(router))
    }
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Layers").field(&self.0.len()).finish()
    }
}

/// Settings, or the error of parsing them, which [`Builder::run`] reports to the operator.
#[derive(Debug)]
pub struct GivenSettings(pub(crate) Result<Settings, SettingsError>);

impl From<Settings> for GivenSettings {
    fn from(settings: Settings) -> Self {
        Self(Ok(settings))
    }
}

impl From<Result<Settings, SettingsError>> for GivenSettings {
    fn from(settings: Result<Settings, SettingsError>) -> Self {
        Self(settings)
    }
}

impl Builder {
    pub(crate) fn new(settings: Result<Settings, SettingsError>) -> Self {
        Self {
            settings,
            name: "Site".to_owned(),
            about: "",
            version: env!("CARGO_PKG_VERSION"),
            apps: Vec::new(),
            shell: Box::new(DefaultShell),
            theme: Vec::new(),
            layers: Layers::default(),
            policy: ContentSecurityPolicy::default(),
            values: Extensions::new(),
            background: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// Sets the site's name, shown at the end of each page title and next to the logo in the shell.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the program's description and version, for `--help` and `--version`. Use
    /// `env!("CARGO_PKG_VERSION")`.
    pub fn about(mut self, about: &'static str, version: &'static str) -> Self {
        (self.about, self.version) = (about, version);
        self
    }

    /// Sets the app that serves `/`. Without one, `/` lists the apps.
    pub fn home(mut self, app: App) -> Self {
        self.apps.insert(0, app);
        self
    }

    /// Adds an app. The navigation shows apps in this order.
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds several apps.
    pub fn apps(mut self, apps: impl IntoIterator<Item = App>) -> Self {
        self.apps.extend(apps);
        self
    }

    /// Replaces the default HTML document around each page.
    pub fn shell(mut self, shell: impl Shell) -> Self {
        self.shell = Box::new(shell);
        self
    }

    /// Adds a style sheet, as a path among the static files (`garden/theme.css`). It is loaded
    /// after the default shell's, so that it can override the custom properties of the theme.
    pub fn theme(mut self, style: impl Into<String>) -> Self {
        self.theme.push(style.into());
        self
    }

    /// Wraps the whole site in a tower layer. The layer added last sees requests first and
    /// responses last.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.layers.0.push(Box::new(move |router| router.layer(layer)));
        self
    }

    /// Allows another source in the `Content-Security-Policy` of every page, such as
    /// `("img-src", "https://images.example")`.
    ///
    /// # Panics
    /// If the directive or the source contains a line break, `;` or `,`, which the header cannot
    /// hold.
    pub fn content_security_policy(
        mut self,
        directive: &'static str,
        source: &'static str,
    ) -> Self {
        self.policy.allow(directive, source);
        self
    }

    /// Adds a value to the site's state. Handlers get it by its type: [`SiteState::get`].
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.values.insert(value);
        self
    }

    /// Adds a task that runs while the site serves. It must return when its token is cancelled;
    /// shutdown waits for it as long as for requests.
    pub fn background<F>(
        mut self,
        name: &'static str,
        task: impl Fn(SiteState, CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.background.push(Background::new(name, task));
        self
    }

    /// Adds a command-line command, beside `serve`, `check`, `migrate`, `user` and `seed`.
    pub fn command(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }
}
