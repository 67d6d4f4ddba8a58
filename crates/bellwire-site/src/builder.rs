//! The parts of a site, put together.

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

/// A site before it starts: its settings, name, shell, apps, layers, tasks and commands.
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

/// The tower layers around a site, the innermost first.
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

/// Settings, or why there are none: [`Builder::run`] tells the operator.
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

    /// The site's name: the end of each page's title, and beside the mark in the shell.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The program's description and version, for `--help` and `--version`. Use
    /// `env!("CARGO_PKG_VERSION")`.
    pub fn about(mut self, about: &'static str, version: &'static str) -> Self {
        (self.about, self.version) = (about, version);
        self
    }

    /// The app that answers `/`. Without one, `/` lists the apps.
    pub fn home(mut self, app: App) -> Self {
        self.apps.insert(0, app);
        self
    }

    /// Adds an app. The order is that of the navigation.
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds several apps.
    pub fn apps(mut self, apps: impl IntoIterator<Item = App>) -> Self {
        self.apps.extend(apps);
        self
    }

    /// The document around each page, instead of the default one.
    pub fn shell(mut self, shell: impl Shell) -> Self {
        self.shell = Box::new(shell);
        self
    }

    /// A style sheet of the site's own, as a path among the static files (`garden/theme.css`),
    /// after that of the default shell: it may set the custom properties of the theme anew.
    pub fn theme(mut self, style: impl Into<String>) -> Self {
        self.theme.push(style.into());
        self
    }

    /// Wraps the whole site into a tower layer. The last one sees a request first, and a response
    /// as it goes out.
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

    /// Allows a further source in the `Content-Security-Policy` of every page, such as
    /// `("img-src", "https://images.example")`.
    ///
    /// # Panics
    /// If the directive or the source cannot stand in the header: with a line break, `;` or `,`.
    pub fn content_security_policy(
        mut self,
        directive: &'static str,
        source: &'static str,
    ) -> Self {
        self.policy.allow(directive, source);
        self
    }

    /// A value for the handlers of this site, which find it by its type: [`SiteState::get`].
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.values.insert(value);
        self
    }

    /// A task that runs as long as the site serves. It returns when its token is cancelled; the
    /// stop waits for it as long as for requests.
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

    /// A command of the program, beside `serve`, `check`, `migrate`, `user` and `seed`.
    pub fn command(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }
}
