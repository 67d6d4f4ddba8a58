//! To-do: tasks that belong to a visitor, with or without an account, and show in all of their
//! windows at once.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Form, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{
    Action, Consumer, Dialect, Error, Group, GroupName, Html, Layer, Patch, Socket,
};
use bellwire_site::markup::shows;
use bellwire_site::{
    Budget, ClientAddress, Field, Page, Session, SiteError, SiteState, Tx, Upgrade,
};
use serde::{Deserialize, Serialize};

/// How many tasks a visitor has, and how long one is, in characters.
const MOST: usize = 100;
const LONGEST: usize = 200;

/// How often tasks are added from one address.
const ADDS: Budget = Budget::new("playground.todo", Quota::at_most(120, Duration::from_secs(60)));

/// Where the tasks are kept in a session.
const KEY: &str = "playground.todo";

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/todo/", get(show).post(add)).route("/ws/todo/", get(socket))
}

/// The tasks of whoever asks: an extractor for pages, forms and sockets.
pub(crate) struct Todo {
    pub(crate) session: Session,
    site: SiteState,
    from: IpAddr,
    /// How many tasks the page shows. None is ever removed, so that these are the first ones.
    shown: usize,
}

/// A task, and which of its visitor's it is: a page that is told of it twice shows it once.
pub(crate) struct Task {
    pub(crate) number: usize,
    pub(crate) text: String,
}

/// Tells the windows of a visitor that there are more tasks. Each reads them itself: such words may
/// overtake each other, and the table is in order.
#[derive(Serialize, Deserialize)]
pub(crate) struct Added;

impl FromRequestParts<SiteState> for Todo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &SiteState) -> Result<Self, Infallible> {
        let Ok(session) = Session::from_request_parts(parts, site).await;
        let Ok(address) = ClientAddress::from_request_parts(parts, site).await;
        Ok(Self { session, site: site.clone(), from: address.network(), shown: 0 })
    }
}

impl Todo {
    /// All tasks, for a page that shows them from now on.
    pub(crate) async fn tasks(&mut self) -> Result<Vec<Task>, SiteError> {
        let texts: Vec<String> = self.session.read(KEY).await?;
        self.shown = texts.len();
        Ok(texts.into_iter().zip(1..).map(|(text, number)| Task { number, text }).collect())
    }

    /// Before a socket opens: whoever made its page has seen the tasks that there are, and misses
    /// none that come after.
    pub(crate) async fn begin(&mut self) -> Result<(), SiteError> {
        self.tasks().await.map(|_| ())
    }

    /// Adds a task, which then comes to all windows of this visitor.
    pub(crate) async fn add(&self, typed: &str) -> Result<(), SiteError> {
        let task = crate::visible(typed);
        if !shows(&task) {
            return Err(SiteError::Invalid("Please type what is to be done.".to_owned()));
        }
        if task.chars().count() > LONGEST {
            return Err(SiteError::Invalid(format!("A task has at most {LONGEST} characters.")));
        }
        self.site.count(&ADDS, None, Some(self.from))?;
        let windows = self.windows(self.site.bellwire().layer());
        let add = move |tasks: &mut Vec<String>, tx: &Tx| {
            if tasks.len() >= MOST {
                return Err(SiteError::Invalid(format!(
                    "{MOST} tasks are enough, and there is no room for more."
                )));
            }
            tasks.push(task);
            tx.on_commit(move || windows.into_iter().for_each(|windows| windows.send(Added)));
            Ok(())
        };
        self.session.update(KEY, add).await
    }

    /// All sockets of this visitor that show the tasks.
    fn windows(&self, layer: &Layer) -> Option<Group<Added>> {
        self.session.id().map(|id| layer.group(GroupName::of("playground.todo", id)))
    }

    /// From now on new tasks come to this socket, and first what its page does not show: of our own
    /// we know nothing, since it may be an old one whose socket comes back.
    pub(crate) async fn watch(&mut self, socket: &mut Socket) -> Result<(), Error> {
        if let Some(windows) = self.windows(socket.layer()) {
            socket.join(&windows);
        }
        match socket.dialect() {
            Dialect::Htmx => self.show(socket).await,
            Dialect::Json => self.show_more(socket).await,
        }
    }

    /// Those that are not shown yet, one by one.
    pub(crate) async fn show_more(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let shown = self.shown;
        let tasks = self.tasks().await.map_err(SiteError::over_socket)?;
        for task in tasks.chunks(1).skip(shown) {
            socket.patch(Patch::append("#todo", html(task)?)).await?;
        }
        Ok(())
    }

    /// All tasks anew.
    pub(crate) async fn show(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let tasks = self.tasks().await.map_err(SiteError::over_socket)?;
        socket.patch(Patch::inner("#todo", html(&tasks)?)).await
    }
}

#[derive(Template)]
#[template(path = "playground/_tasks.html")]
struct Tasks<'a> {
    tasks: &'a [Task],
}

fn html(tasks: &[Task]) -> Result<Html, askama::Error> {
    Html::from_template(&Tasks { tasks })
}

#[derive(Template)]
#[template(path = "playground/todo.html")]
struct TodoPage {
    tasks: Vec<Task>,
    task: Field,
}

async fn show(mut todo: Todo) -> Result<Page, SiteError> {
    todo.session.begin().await?;
    page(todo.tasks().await?, Field::default())
}

fn page(tasks: Vec<Task>, task: Field) -> Result<Page, SiteError> {
    let about = "A to-do list that is still there tomorrow, in every window, without an account.";
    let page = crate::page("To-do", about, &TodoPage { tasks, task })?;
    Ok(page.script("playground/todo_controller.js").connect("/ws/todo/"))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    task: String,
}

/// Without JavaScript.
async fn add(mut todo: Todo, Form(Typed { task }): Form<Typed>) -> Result<Response, SiteError> {
    match todo.add(&task).await {
        Ok(()) => Ok(Redirect::to("/todo/").into_response()),
        Err(SiteError::Invalid(error)) => {
            let field = Field { value: task, error: Some(error) };
            let page = page(todo.tasks().await?, field)?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    #[serde(rename = "Add task")]
    AddTask { task: String },
}

impl Action for Ask {
    const FORM: Option<&'static str> = Some("Add task");
}

struct Doer(Todo);

impl Consumer for Doer {
    type Action = Ask;
    type Event = Added;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.0.watch(socket).await
    }

    async fn receive(&mut self, _: &mut Socket, Ask::AddTask { task }: Ask) -> Result<(), Error> {
        self.0.add(&task).await.map_err(refused)
    }

    async fn event(&mut self, socket: &mut Socket, _: &Added) -> Result<(), Error> {
        self.0.show_more(socket).await
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.0.show(socket).await
    }
}

/// What is wrong with a task is said beside it.
pub(crate) fn refused(error: SiteError) -> Error {
    match error {
        SiteError::Invalid(message) => Error::invalid("task", message),
        other => other.over_socket(),
    }
}

async fn socket(mut todo: Todo, upgrade: Upgrade) -> Result<Response, SiteError> {
    todo.begin().await?;
    Ok(upgrade.session(&todo.session).run(Doer(todo)))
}
