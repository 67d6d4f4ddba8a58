//! To-do: tasks of a visitor, with or without an account, shown live in all windows of that
//! visitor.

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

/// The most tasks per visitor.
const MAX_TASKS: usize = 100;
/// The longest task, in characters.
const MAX_CHARS: usize = 200;

/// The rate limit for adding tasks, per address.
const ADDS: Budget = Budget::new("playground.todo", Quota::at_most(120, Duration::from_secs(60)));

/// The session key of the tasks.
const KEY: &str = "playground.todo";

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/todo/", get(show).post(add)).route("/ws/todo/", get(socket))
}

/// Extractor for the tasks of the visitor, for pages, forms and sockets.
pub(crate) struct Todo {
    pub(crate) session: Session,
    site: SiteState,
    from: IpAddr,
    /// The number of tasks that the page shows. Tasks are never removed, so these are the first
    /// ones.
    shown: usize,
}

/// A task, with its number in the visitor's list: a page that receives it twice shows it once.
pub(crate) struct Task {
    pub(crate) number: usize,
    pub(crate) text: String,
}

/// Notifies the windows of a visitor of new tasks. Each window reads the tasks itself:
/// notifications may arrive out of order, while the stored list is in order.
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
    /// Reads all tasks, and assumes that the page shows them from now on.
    pub(crate) async fn tasks(&mut self) -> Result<Vec<Task>, SiteError> {
        let texts: Vec<String> = self.session.read(KEY).await?;
        self.shown = texts.len();
        Ok(texts.into_iter().zip(1..).map(|(text, number)| Task { number, text }).collect())
    }

    /// Call before a socket opens: assumes that its page shows the tasks stored now, so that later
    /// ones are sent.
    pub(crate) async fn begin(&mut self) -> Result<(), SiteError> {
        self.tasks().await.map(|_| ())
    }

    /// Adds a task and notifies all windows of this visitor.
    pub(crate) async fn add(&self, input: &str) -> Result<(), SiteError> {
        let task = crate::visible(input);
        if !shows(&task) {
            return Err(SiteError::Invalid("Please type a task.".to_owned()));
        }
        if task.chars().count() > MAX_CHARS {
            return Err(SiteError::Invalid(format!("A task has at most {MAX_CHARS} characters.")));
        }
        self.site.count(&ADDS, None, Some(self.from))?;
        let windows = self.windows(self.site.bellwire().layer());
        let add = move |tasks: &mut Vec<String>, tx: &Tx| {
            if tasks.len() >= MAX_TASKS {
                return Err(SiteError::Invalid(format!("A list has at most {MAX_TASKS} tasks.")));
            }
            tasks.push(task);
            tx.on_commit(move || windows.into_iter().for_each(|windows| windows.send(Added)));
            Ok(())
        };
        self.session.update(KEY, add).await
    }

    /// The group of all sockets of this visitor that show the tasks.
    fn windows(&self, layer: &Layer) -> Option<Group<Added>> {
        self.session.id().map(|id| layer.group(GroupName::of("playground.todo", id)))
    }

    /// Subscribes the socket to new tasks, and sends what its page does not show. Our own page
    /// receives all tasks, since it may be an old page whose socket reconnects.
    pub(crate) async fn watch(&mut self, socket: &mut Socket) -> Result<(), Error> {
        if let Some(windows) = self.windows(socket.layer()) {
            socket.join(&windows);
        }
        match socket.dialect() {
            Dialect::Htmx => self.replace_all(socket).await,
            Dialect::Json => self.append_new(socket).await,
        }
    }

    /// Sends the tasks that are not shown yet, one patch each.
    pub(crate) async fn append_new(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let shown = self.shown;
        let tasks = self.tasks().await.map_err(SiteError::over_socket)?;
        for task in tasks.chunks(1).skip(shown) {
            socket.patch(Patch::append("#todo", html(task)?)).await?;
        }
        Ok(())
    }

    /// Sends all tasks in one patch.
    pub(crate) async fn replace_all(&mut self, socket: &mut Socket) -> Result<(), Error> {
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
struct TaskForm {
    task: String,
}

/// `POST /todo/`: adds a task without JavaScript.
async fn add(
    mut todo: Todo,
    Form(TaskForm { task }): Form<TaskForm>,
) -> Result<Response, SiteError> {
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
enum TodoAction {
    #[serde(rename = "Add task")]
    AddTask { task: String },
}

impl Action for TodoAction {
    const FORM: Option<&'static str> = Some("Add task");
}

struct TodoConsumer(Todo);

impl Consumer for TodoConsumer {
    type Action = TodoAction;
    type Event = Added;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.0.watch(socket).await
    }

    async fn receive(
        &mut self,
        _: &mut Socket,
        TodoAction::AddTask { task }: TodoAction,
    ) -> Result<(), Error> {
        self.0.add(&task).await.map_err(over_socket)
    }

    async fn event(&mut self, socket: &mut Socket, _: &Added) -> Result<(), Error> {
        self.0.append_new(socket).await
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.0.replace_all(socket).await
    }
}

/// Converts an error to an answer over a socket. Validation errors belong to the field `task`.
pub(crate) fn over_socket(error: SiteError) -> Error {
    match error {
        SiteError::Invalid(message) => Error::invalid("task", message),
        other => other.over_socket(),
    }
}

async fn socket(mut todo: Todo, upgrade: Upgrade) -> Result<Response, SiteError> {
    todo.begin().await?;
    Ok(upgrade.session(&todo.session).run(TodoConsumer(todo)))
}
