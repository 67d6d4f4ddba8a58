//! A site in one page: the socket brings the next page, and the address bar, the back button and a
//! reload follow.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire_site::accounts::{Browser, NoTicket, Refused, SignInForm, SignUpForm};
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
enum Place {
    Home,
    Login,
    Signup,
    Profile,
    Nowhere,
}

impl Place {
    fn named(name: &str) -> Self {
        match name {
            "home" => Self::Home,
            "login" => Self::Login,
            "signup" => Self::Signup,
            "profile" => Self::Profile,
            _ => Self::Nowhere,
        }
    }

    /// Where somebody ends up who goes there: a profile is for those who are signed in, the forms
    /// for those who are not.
    fn open_to(self, user: Option<&User>) -> Self {
        match (self, user) {
            (Self::Profile, None) => Self::Login,
            (Self::Login | Self::Signup, Some(_)) => Self::Profile,
            (place, _) => place,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Home => "/pages/",
            Self::Login => "/pages/login/",
            Self::Signup => "/pages/signup/",
            Self::Profile => "/pages/profile/",
            Self::Nowhere => "/pages/nowhere/",
        }
    }
}

#[derive(Template)]
#[template(path = "playground/pages/_nav.html")]
struct Nav {
    entries: Vec<(Place, &'static str, &'static str)>,
    here: Place,
}

impl Nav {
    fn is_here(&self, place: &Place) -> bool {
        self.here == *place
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
    form: Refused,
}

#[derive(Default, Template)]
#[template(path = "playground/pages/signup.html")]
struct Signup {
    form: Refused,
}

#[derive(Template)]
#[template(path = "playground/pages/profile.html")]
struct Profile<'a> {
    user: &'a User,
}

#[derive(Template)]
#[template(path = "playground/pages/nowhere.html")]
struct Nowhere;

/// Who is on a page of this site.
struct Visitor {
    user: Option<User>,
    todo: Todo,
}

impl Visitor {
    /// A page as it stands alone, and as it comes over the socket.
    async fn page(&mut self, place: Place) -> Result<Page, SiteError> {
        let page = match place {
            Place::Home => {
                let (tasks, task) = (self.todo.tasks().await?, Field::default());
                Page::new("Home", Html::from_template(&Home { tasks, task })?).description(
                    "A site in one page, with laps and a to-do list: the socket brings what is next.",
                )
            }
            Place::Login => Page::new("Log in", Html::from_template(&Login::default())?),
            Place::Signup => Page::new("Sign up", Html::from_template(&Signup::default())?),
            Place::Profile => {
                let user = self.user.as_ref().ok_or(SiteError::Unauthorized)?;
                Page::new("Profile", Html::from_template(&Profile { user })?)
            }
            Place::Nowhere => {
                Page::new("Not found", Html::from_template(&Nowhere)?).status(StatusCode::NOT_FOUND)
            }
        };
        let page = match place {
            Place::Home => page,
            _ => page.description("A page of a site in one page."),
        };
        Ok(page
            .nav(self.nav(place)?)
            .style("playground/playground.css")
            .script("playground/todo_controller.js")
            .script("self_submit_controller.js")
            .connect("/ws/example/"))
    }

    fn nav(&self, here: Place) -> Result<Html, SiteError> {
        let mut entries = vec![(Place::Home, "home", "Home")];
        match self.user {
            Some(_) => entries.push((Place::Profile, "profile", "Profile")),
            None => entries
                .extend([(Place::Login, "login", "Log in"), (Place::Signup, "signup", "Sign up")]),
        }
        Ok(Html::from_template(&Nav { entries, here })?)
    }
}

async fn show_home(MaybeUser(user): MaybeUser, mut todo: Todo) -> Result<Page, SiteError> {
    todo.session.begin().await?;
    Visitor { user, todo }.page(Place::Home).await
}

async fn show(
    MaybeUser(user): MaybeUser,
    mut todo: Todo,
    Path(name): Path<String>,
) -> Result<Response, SiteError> {
    todo.session.begin().await?;
    let asked = Place::named(&name);
    let place = asked.open_to(user.as_ref());
    if place != asked || place == Place::Home {
        return Ok(Redirect::to(place.path()).into_response());
    }
    Ok(Visitor { user, todo }.page(place).await?.into_response())
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
    Ok(upgrade.run(Example {
        site,
        browser,
        visitor: Visitor { user, todo },
        laps: Laps::default(),
    }))
}

#[derive(Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
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
    // Here, unlike by HTTP, a field that is missing is a mistake of whoever wrote the client.
    Signup {
        username: String,
        /// May be empty.
        email: String,
        password: String,
        password_confirm: String,
    },
    Login {
        /// Or the name.
        email: String,
        password: String,
    },
    Logout {},
}

impl Action for Ask {}

struct Example {
    site: SiteState,
    browser: Browser,
    visitor: Visitor,
    laps: Laps,
}

impl Example {
    async fn go(&mut self, socket: &mut Socket, place: Place) -> Result<(), Error> {
        let place = place.open_to(self.visitor.user.as_ref());
        self.laps = Laps::default();
        let page = self.visitor.page(place).await.map_err(SiteError::over_socket)?;
        for patch in page.moved(&self.site, place.path()) {
            socket.patch(patch).await?;
        }
        Ok(())
    }

    async fn log_in(&self, socket: &mut Socket, form: SignInForm) -> Result<(), Error> {
        let ticket = self.site.accounts().sign_in_over_socket(&self.browser, form).await;
        let main = match ticket {
            Ok(ticket) => ticket.form(Place::Profile.path())?,
            Err(NoTicket::Refused(form)) => Html::from_template(&Login { form: *form })?,
            Err(NoTicket::Error(error)) => return Err(error.over_socket()),
        };
        socket.patch(answer(main)).await
    }

    async fn sign_up(&self, socket: &mut Socket, form: SignUpForm) -> Result<(), Error> {
        let ticket = self.site.accounts().sign_up_over_socket(&self.browser, form).await;
        let main = match ticket {
            Ok(ticket) => ticket.form(Place::Profile.path())?,
            Err(NoTicket::Refused(form)) => Html::from_template(&Signup { form: *form })?,
            Err(NoTicket::Error(error)) => return Err(error.over_socket()),
        };
        socket.patch(answer(main)).await
    }
}

/// A form's answer, in the form's place.
fn answer(main: Html) -> Patch {
    Patch::inner("#main", main).focus("#main [aria-invalid], #main button")
}

impl Consumer for Example {
    type Action = Ask;
    type Event = Added;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.visitor.todo.watch(socket).await
    }

    async fn receive(&mut self, socket: &mut Socket, ask: Ask) -> Result<(), Error> {
        match ask {
            Ask::ChangePage { page } => self.go(socket, Place::named(&page)).await,
            Ask::AddLap {} => socket.patch(self.laps.add()?).await,
            Ask::AddTask { task } => self.visitor.todo.add(&task).await.map_err(todo::refused),
            Ask::Login { email, password } => {
                self.log_in(
                    socket,
                    SignInForm { username: email, password, ..SignInForm::default() },
                )
                .await
            }
            Ask::Signup { username, email, password, password_confirm } => {
                let next = String::new();
                let form = SignUpForm { username, email, password, password_confirm, next };
                self.sign_up(socket, form).await
            }
            Ask::Logout {} => socket.patch(answer(self.site.accounts().sign_out_form()?)).await,
        }
    }

    async fn event(&mut self, socket: &mut Socket, _: &Added) -> Result<(), Error> {
        self.visitor.todo.show_more(socket).await
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.visitor.todo.show(socket).await
    }
}
