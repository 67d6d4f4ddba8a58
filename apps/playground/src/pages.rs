//! A single-page site: pages change over the socket, and the address bar, the back button and a
//! reload work as usual.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire_site::accounts::{
    Browser, LoginToken, LoginTokenError, RefusedForm, SignInForm, SignUpForm,
};
use bellwire_site::bellwire::{Action, Consumer, Html, Patch, Seq, Socket};
use bellwire_site::{Field, Live, MaybeUser, Page, SiteAccounts, SiteError, SiteState, User};
use serde::Deserialize;

use crate::laps::Laps;
use crate::todo::{TaskList, Todo};

pub(crate) fn routes() -> Router<SiteState> {
    Router::new()
        .route("/pages/", get(show_home))
        .route("/pages/{name}/", get(show))
        .route("/ws/example/", get(live))
}

/// The pages of this site, by their names in addresses and actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SitePage {
    Home,
    Login,
    Signup,
    Profile,
    #[serde(other)]
    NotFound,
}

impl SitePage {
    /// The page that this visitor receives instead of the requested one: the profile requires a
    /// signed-in user, the forms require an anonymous one.
    fn for_visitor(self, user: Option<&User>) -> Self {
        match (self, user) {
            (Self::Profile, None) => Self::Login,
            (Self::Login | Self::Signup, Some(_)) => Self::Profile,
            (page, _) => page,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Home => "/pages/",
            Self::Login => "/pages/login/",
            Self::Signup => "/pages/signup/",
            Self::Profile => "/pages/profile/",
            Self::NotFound => "/pages/nowhere/",
        }
    }
}

#[derive(Template)]
#[template(path = "playground/pages/_nav.html")]
struct Nav {
    entries: Vec<(SitePage, &'static str, &'static str)>,
    current: SitePage,
}

impl Nav {
    fn is_current(&self, page: &SitePage) -> bool {
        self.current == *page
    }
}

#[derive(Template)]
#[template(path = "playground/pages/home.html")]
struct Home {
    tasks: TaskList,
    task: Field,
}

#[derive(Default, Template)]
#[template(path = "playground/pages/login.html")]
struct Login {
    form: RefusedForm,
}

#[derive(Default, Template)]
#[template(path = "playground/pages/signup.html")]
struct Signup {
    form: RefusedForm,
}

#[derive(Template)]
#[template(path = "playground/pages/profile.html")]
struct Profile<'a> {
    user: &'a User,
}

#[derive(Template)]
#[template(path = "playground/pages/not_found.html")]
struct NotFound;

/// The visitor of a page: a user if signed in, and the tasks.
struct Visitor {
    user: Option<User>,
    todo: Todo,
    /// The number of the last task that the page shows.
    shown: Seq,
}

impl Visitor {
    fn new(user: Option<User>, todo: Todo) -> Self {
        Self { user, todo, shown: 0 }
    }

    /// Renders a page, the same for HTTP and for the socket.
    async fn page(&mut self, site_page: SitePage) -> Result<Page, SiteError> {
        let page = match site_page {
            SitePage::Home => {
                let (tasks, task) = (self.todo.list().await?, Field::default());
                self.shown = tasks.last();
                Page::new("Home", Html::from_template(&Home { tasks, task })?).description(
                    "A single-page site with laps and a to-do list. Pages change over the socket.",
                )
            }
            SitePage::Login => Page::new("Sign in", Html::from_template(&Login::default())?),
            SitePage::Signup => Page::new("Sign up", Html::from_template(&Signup::default())?),
            SitePage::Profile => {
                let user = self.user.as_ref().ok_or(SiteError::Unauthorized)?;
                Page::new("Profile", Html::from_template(&Profile { user })?)
            }
            SitePage::NotFound => Page::new("Not found", Html::from_template(&NotFound)?)
                .status(StatusCode::NOT_FOUND),
        };
        let page = match site_page {
            SitePage::Home => page,
            _ => page.description("A page of the single-page site."),
        };
        Ok(page
            .nav(self.nav(site_page)?)
            .style("playground/playground.css")
            .script("playground/todo_controller.js")
            .script("self_submit_controller.js")
            .connect("/ws/example/"))
    }

    fn nav(&self, current: SitePage) -> Result<Html, SiteError> {
        let mut entries = vec![(SitePage::Home, "home", "Home")];
        match self.user {
            Some(_) => entries.push((SitePage::Profile, "profile", "Profile")),
            None => entries.extend([
                (SitePage::Login, "login", "Sign in"),
                (SitePage::Signup, "signup", "Sign up"),
            ]),
        }
        Ok(Html::from_template(&Nav { entries, current })?)
    }
}

async fn show_home(MaybeUser(user): MaybeUser, mut todo: Todo) -> Result<Page, SiteError> {
    todo.session.begin().await?;
    Visitor::new(user, todo).page(SitePage::Home).await
}

async fn show(
    MaybeUser(user): MaybeUser,
    mut todo: Todo,
    Path(requested): Path<SitePage>,
) -> Result<Response, SiteError> {
    todo.session.begin().await?;
    let page = requested.for_visitor(user.as_ref());
    if page != requested || page == SitePage::Home {
        return Ok(Redirect::to(page.path()).into_response());
    }
    Ok(Visitor::new(user, todo).page(page).await?.into_response())
}

async fn live(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    todo: Todo,
    browser: Browser,
    live: Live,
) -> Response {
    let live = todo.session.bind(live);
    let visitor = Visitor::new(user, todo);
    live.run(PagesConsumer { site, browser, visitor, laps: Laps::default() })
}

#[derive(Action)]
pub(crate) enum PagesAction {
    #[serde(rename = "Change page")]
    ChangePage {
        page: SitePage,
    },
    #[serde(rename = "Add lap")]
    AddLap {},
    #[serde(rename = "Add task")]
    AddTask {
        task: String,
    },
    // All fields are required here, unlike over HTTP: a missing one is a bug in the client.
    Signup {
        username: String,
        /// Optional: may be empty.
        email: String,
        password: String,
        password_confirm: String,
        /// The page that the form leads to over HTTP.
        #[serde(default)]
        next: String,
    },
    Login {
        /// The e-mail address or the name.
        email: String,
        password: String,
        /// The page that the form leads to over HTTP.
        #[serde(default)]
        next: String,
    },
    Logout {},
}

struct PagesConsumer {
    site: SiteState,
    browser: Browser,
    visitor: Visitor,
    laps: Laps,
}

impl PagesConsumer {
    async fn show(
        &mut self,
        socket: &mut Socket<Self>,
        requested: SitePage,
    ) -> Result<(), SiteError> {
        let site_page = requested.for_visitor(self.visitor.user.as_ref());
        self.laps = Laps::default();
        let page = self.visitor.page(site_page).await?;
        for patch in page.moved(&self.site, site_page.path()) {
            socket.patch(patch).await?;
        }
        match self.visitor.todo.feed() {
            Some(tasks) if site_page == SitePage::Home => {
                socket.follow_from(&tasks, self.visitor.shown);
            }
            Some(tasks) => socket.leave(&tasks),
            None => {}
        }
        Ok(())
    }
}

/// Replaces a form by the one that redeems the login token, or by itself with its errors.
fn signed_in<T: Template>(
    token: Result<LoginToken, LoginTokenError>,
    with_errors: impl FnOnce(RefusedForm) -> T,
) -> Result<Patch, SiteError> {
    Ok(answer(match token {
        Ok(token) => token.form(SitePage::Profile.path())?,
        Err(LoginTokenError::Refused(form)) => Html::from_template(&with_errors(*form))?,
        Err(LoginTokenError::Error(error)) => return Err(error),
    }))
}

/// Replaces a form with its answer.
fn answer(main: Html) -> Patch {
    Patch::inner("#main", main).focus("#main [aria-invalid], #main button")
}

impl Consumer for PagesConsumer {
    type Action = PagesAction;
    type Event = ();
    type Error = SiteError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), SiteError> {
        if let Some(tasks) = self.visitor.todo.feed() {
            socket.follow(&tasks);
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: PagesAction,
    ) -> Result<(), SiteError> {
        let accounts = self.site.accounts();
        let patch = match action {
            PagesAction::ChangePage { page } => return self.show(socket, page).await,
            PagesAction::AddTask { task } => return Ok(self.visitor.todo.add(&task).await?),
            PagesAction::AddLap {} => self.laps.add()?,
            PagesAction::Login { email, password, next } => {
                let form = SignInForm { username: email, password, next };
                let token = accounts.sign_in_over_socket(&self.browser, form).await;
                signed_in(token, |form| Login { form })?
            }
            PagesAction::Signup { username, email, password, password_confirm, next } => {
                let form = SignUpForm { username, email, password, password_confirm, next };
                let token = accounts.sign_up_over_socket(&self.browser, form).await;
                signed_in(token, |form| Signup { form })?
            }
            PagesAction::Logout {} => answer(accounts.sign_out_form()?),
        };
        Ok(socket.patch(patch).await?)
    }
}
