//! A single-page site: pages change over the socket, and the address bar, the back button and a
//! reload work as usual.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire_site::accounts::{Browser, LoginTokenError, RefusedForm, SignInForm, SignUpForm};
use bellwire_site::bellwire::{Action, Consumer, Error, Html, Patch, Socket};
use bellwire_site::{Field, MaybeUser, Page, SiteAccounts, SiteError, SiteState, Upgrade, User};
use serde::Deserialize;

use crate::laps::Laps;
use crate::todo::{self, Added, Task, Todo};

pub(crate) fn routes() -> Router<SiteState> {
    Router::new()
        .route("/pages/", get(show_home))
        .route("/pages/{name}/", get(show))
        .route("/ws/example/", get(socket))
}

/// The pages of this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SitePage {
    Home,
    Login,
    Signup,
    Profile,
    NotFound,
}

impl SitePage {
    fn named(name: &str) -> Self {
        match name {
            "home" => Self::Home,
            "login" => Self::Login,
            "signup" => Self::Signup,
            "profile" => Self::Profile,
            _ => Self::NotFound,
        }
    }

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
    tasks: Vec<Task>,
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
}

impl Visitor {
    /// Renders a page, the same for HTTP and for the socket.
    async fn page(&mut self, site_page: SitePage) -> Result<Page, SiteError> {
        let page = match site_page {
            SitePage::Home => {
                let (tasks, task) = (self.todo.tasks().await?, Field::default());
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
    Visitor { user, todo }.page(SitePage::Home).await
}

async fn show(
    MaybeUser(user): MaybeUser,
    mut todo: Todo,
    Path(name): Path<String>,
) -> Result<Response, SiteError> {
    todo.session.begin().await?;
    let requested = SitePage::named(&name);
    let page = requested.for_visitor(user.as_ref());
    if page != requested || page == SitePage::Home {
        return Ok(Redirect::to(page.path()).into_response());
    }
    Ok(Visitor { user, todo }.page(page).await?.into_response())
}

async fn socket(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    mut todo: Todo,
    browser: Browser,
    upgrade: Upgrade,
) -> Result<Response, SiteError> {
    todo.begin().await?;
    let upgrade = upgrade.session(&todo.session);
    Ok(upgrade.run(PagesConsumer {
        site,
        browser,
        visitor: Visitor { user, todo },
        laps: Laps::default(),
    }))
}

#[derive(Deserialize)]
#[serde(tag = "action", content = "data")]
enum PagesAction {
    #[serde(rename = "Change page")]
    ChangePage {
        page: String,
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
    },
    Login {
        /// The e-mail address or the name.
        email: String,
        password: String,
    },
    Logout {},
}

impl Action for PagesAction {}

struct PagesConsumer {
    site: SiteState,
    browser: Browser,
    visitor: Visitor,
    laps: Laps,
}

impl PagesConsumer {
    async fn show(&mut self, socket: &mut Socket, requested: SitePage) -> Result<(), Error> {
        let site_page = requested.for_visitor(self.visitor.user.as_ref());
        self.laps = Laps::default();
        let page = self.visitor.page(site_page).await.map_err(SiteError::over_socket)?;
        for patch in page.moved(&self.site, site_page.path()) {
            socket.patch(patch).await?;
        }
        Ok(())
    }

    async fn log_in(&self, socket: &mut Socket, form: SignInForm) -> Result<(), Error> {
        let ticket = self.site.accounts().sign_in_over_socket(&self.browser, form).await;
        let main = match ticket {
            Ok(ticket) => ticket.form(SitePage::Profile.path())?,
            Err(LoginTokenError::Refused(form)) => Html::from_template(&Login { form: *form })?,
            Err(LoginTokenError::Error(error)) => return Err(error.over_socket()),
        };
        socket.patch(answer(main)).await
    }

    async fn sign_up(&self, socket: &mut Socket, form: SignUpForm) -> Result<(), Error> {
        let ticket = self.site.accounts().sign_up_over_socket(&self.browser, form).await;
        let main = match ticket {
            Ok(ticket) => ticket.form(SitePage::Profile.path())?,
            Err(LoginTokenError::Refused(form)) => Html::from_template(&Signup { form: *form })?,
            Err(LoginTokenError::Error(error)) => return Err(error.over_socket()),
        };
        socket.patch(answer(main)).await
    }
}

/// Replaces the form with its answer.
fn answer(main: Html) -> Patch {
    Patch::inner("#main", main).focus("#main [aria-invalid], #main button")
}

impl Consumer for PagesConsumer {
    type Action = PagesAction;
    type Event = Added;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.visitor.todo.watch(socket).await
    }

    async fn receive(&mut self, socket: &mut Socket, action: PagesAction) -> Result<(), Error> {
        match action {
            PagesAction::ChangePage { page } => self.show(socket, SitePage::named(&page)).await,
            PagesAction::AddLap {} => socket.patch(self.laps.add()?).await,
            PagesAction::AddTask { task } => {
                self.visitor.todo.add(&task).await.map_err(todo::over_socket)
            }
            PagesAction::Login { email, password } => {
                self.log_in(
                    socket,
                    SignInForm { username: email, password, ..SignInForm::default() },
                )
                .await
            }
            PagesAction::Signup { username, email, password, password_confirm } => {
                let next = String::new();
                let form = SignUpForm { username, email, password, password_confirm, next };
                self.sign_up(socket, form).await
            }
            PagesAction::Logout {} => {
                socket.patch(answer(self.site.accounts().sign_out_form()?)).await
            }
        }
    }

    async fn event(&mut self, socket: &mut Socket, _: &Added) -> Result<(), Error> {
        self.visitor.todo.append_new(socket).await
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.visitor.todo.replace_all(socket).await
    }
}
