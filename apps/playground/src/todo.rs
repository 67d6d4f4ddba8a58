//! To-do: tasks of a visitor, with or without an account, shown live in all windows of that
//! visitor.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{
    Action, ActionForm, CatchUp, Consumer, Error, Feed, FeedPosition, FeedSource, GroupName, Html,
    NoEvents, Patch, Refusal, Seq, Socket, Topic,
};
use bellwire_site::markup::shows;
use bellwire_site::{
    Answer, Budget, ClientAddress, Field, Live, Page, Session, SiteError, SiteState, Tx,
};

/// The lists of tasks, by the id of their session.
const TASKS: Topic<i64> = Topic::new("playground.todo");

/// The most tasks per visitor.
const MAX_TASKS: usize = 100;
/// The longest task, in characters.
const MAX_CHARS: usize = 200;

/// The rate limit for adding tasks, per address.
const ADDS: Budget = Budget::new("playground.todo", Quota::at_most(120, Duration::from_secs(60)));

/// The session key of the tasks.
const KEY: &str = "playground.todo";

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/todo/", get(show).post(add)).route("/ws/todo/", get(live))
}

/// Extractor for the tasks of the visitor, for pages, forms and connections.
#[derive(Clone)]
pub(crate) struct Todo {
    pub(crate) session: Session,
    site: SiteState,
    from: IpAddr,
}

/// A task, with its number in the visitor's list. Tasks are never removed.
pub(crate) struct Task {
    pub(crate) number: Seq,
    pub(crate) text: String,
}

/// The tasks as a page shows them.
pub(crate) struct TaskList {
    pub(crate) tasks: Vec<Task>,
    /// The feed, and the position of the list in it; `None` without a session.
    pub(crate) position: Option<(GroupName, FeedPosition)>,
}

impl TaskList {
    /// The number of the last task.
    pub(crate) fn last(&self) -> Seq {
        last(&self.tasks)
    }
}

/// The reason why a task was not added.
#[derive(Debug, Refusal)]
pub(crate) enum TaskError {
    #[refusal("Please type a task.", field = "task")]
    Empty,
    #[refusal("A task has at most {MAX_CHARS} characters.", field = "task")]
    TooLong,
    #[refusal("A list has at most {MAX_TASKS} tasks.", field = "task")]
    Full,
    #[refusal(other)]
    Other(SiteError),
}

impl FromRequestParts<SiteState> for Todo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &SiteState) -> Result<Self, Infallible> {
        let Ok(session) = Session::from_request_parts(parts, site).await;
        let Ok(address) = ClientAddress::from_request_parts(parts, site).await;
        Ok(Self { session, site: site.clone(), from: address.network() })
    }
}

impl Todo {
    async fn tasks(&self) -> Result<Vec<Task>, SiteError> {
        let texts: Vec<String> = self.session.read(KEY).await?;
        Ok(texts.into_iter().zip(1..).map(|(text, number)| Task { number, text }).collect())
    }

    /// The feed of the tasks; `None` without a session.
    pub(crate) fn feed(&self) -> Option<Feed<NoEvents, Self>> {
        let id = self.session.id()?;
        Some(self.site.bellwire().layer().feed(TASKS.of(id), self.clone()))
    }

    /// Reads the list for a page.
    pub(crate) async fn list(&self) -> Result<TaskList, SiteError> {
        let tasks = self.tasks().await?;
        let position = match self.feed() {
            Some(feed) => Some((feed.name().clone(), feed.position(last(&tasks)).await?)),
            None => None,
        };
        Ok(TaskList { tasks, position })
    }

    /// Adds a task and shows it in all windows of this visitor.
    pub(crate) async fn add(&self, input: &str) -> Result<(), TaskError> {
        let text = crate::visible(input);
        if !shows(&text) {
            return Err(TaskError::Empty);
        }
        if text.chars().count() > MAX_CHARS {
            return Err(TaskError::TooLong);
        }
        self.site.count(&ADDS, None, Some(self.from))?;
        let feed = self.feed();
        let add = move |tasks: &mut Vec<String>, tx: &Tx| {
            if tasks.len() >= MAX_TASKS {
                return Err(TaskError::Full);
            }
            tasks.push(text.clone());
            let number = Seq::try_from(tasks.len()).unwrap_or(Seq::MAX);
            let patch = Patch::append("#todo", html(&[Task { number, text }])?);
            if let Some(feed) = feed {
                tx.on_commit(move || feed.publish(number, patch));
            }
            Ok(())
        };
        self.session.update(KEY, add).await
    }
}

impl FeedSource for Todo {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        let mut tasks = self.tasks().await?;
        let seq = last(&tasks);
        tasks.retain(|task| since.is_none_or(|since| task.number > since));
        let patches = match since {
            None => vec![Patch::inner("#todo", html(&tasks)?)],
            Some(_) if tasks.is_empty() => Vec::new(),
            Some(_) => vec![Patch::append("#todo", html(&tasks)?)],
        };
        Ok(CatchUp { patches, seq })
    }
}

fn last(tasks: &[Task]) -> Seq {
    tasks.last().map_or(0, |task| task.number)
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
    tasks: TaskList,
    task: Field,
}

async fn show(mut todo: Todo) -> Result<Page, SiteError> {
    todo.session.begin().await?;
    page(&todo, Field::default()).await
}

async fn page(todo: &Todo, task: Field) -> Result<Page, SiteError> {
    let about = "A to-do list that is still there tomorrow, in every window, without an account.";
    let page = crate::page("To-do", about, &TodoPage { tasks: todo.list().await?, task })?;
    Ok(page.script("playground/todo_controller.js").connect("/ws/todo/"))
}

#[derive(Action)]
pub(crate) enum TodoAction {
    #[action(form)]
    #[serde(rename = "Add task")]
    AddTask { task: String },
}

/// `POST /todo/`: adds a task without a socket.
async fn add(
    todo: Todo,
    answer: Answer,
    ActionForm(TodoAction::AddTask { task }): ActionForm<TodoAction>,
) -> Result<Response, SiteError> {
    match todo.add(&task).await.map_err(Error::from) {
        Ok(()) => Ok(answer.ok(Redirect::to("/todo/"))),
        Err(Error::Refused(Refusal { field: Some(_), message, .. })) => {
            let page = page(&todo, Field { value: task, error: Some(message) }).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn live(todo: Todo, live: Live) -> Response {
    todo.session.bind(live).run(TodoConsumer(todo))
}

struct TodoConsumer(Todo);

impl Consumer for TodoConsumer {
    type Action = TodoAction;
    type Event = ();
    type Error = TaskError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), TaskError> {
        if let Some(tasks) = self.0.feed() {
            socket.follow(&tasks);
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        _: &mut Socket<Self>,
        TodoAction::AddTask { task }: TodoAction,
    ) -> Result<(), TaskError> {
        self.0.add(&task).await
    }
}
