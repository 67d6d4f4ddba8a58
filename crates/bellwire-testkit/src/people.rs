//! People of a test: made in the database, signed in through the form, recognised by the site.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use bellwire_site::accounts::{name_key, users};
use bellwire_site::{App, DbError, SiteState, Tx, User};
use sea_orm::{ActiveModelTrait, Set};

use crate::browser::Client;
use crate::password::{PASSWORD, PASSWORD_HASH};

/// Makes an account with [`PASSWORD`].
pub(crate) async fn make(site: &SiteState, name: &str) {
    let user = users::ActiveModel {
        name: Set(name.to_owned()),
        name_key: Set(name_key(name)),
        password_hash: Set(PASSWORD_HASH.to_owned()),
        created_at: Set(site.clock().date()),
        ..Default::default()
    };
    let made = site.db().write(async move |tx: Tx| Ok::<_, DbError>(user.insert(&tx).await?));
    made.await.expect("the account should be made");
}

/// Signs in through the form.
pub(crate) async fn sign_in(client: &mut Client, name: &str) {
    let origin = client.origin().to_owned();
    let headers = [("origin", &*origin), ("user-agent", "a test")];
    let answer = client
        .post_with("/accounts/login/", &headers, &[("username", name), ("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, 303, "{name} should be signed in: {}", answer.text);
}

/// The answers of the extractor [`User`], by the number of the question.
#[derive(Debug, Default)]
struct Recognised(Mutex<HashMap<u64, User>>);

/// One page, which remembers the [`User`] who asked for it.
pub(crate) fn app() -> App {
    App::new("testkit").routes(|_| Router::new().route("/testkit/user/{question}", get(remember)))
}

async fn remember(user: User, State(site): State<SiteState>, Path(question): Path<u64>) {
    site.own::<Recognised>().0.lock().unwrap().insert(question, user);
}

/// The person who is signed in in this browser, as the extractor [`User`] finds them.
pub(crate) async fn who_is(site: &SiteState, client: &Client) -> User {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let question = NEXT.fetch_add(1, Ordering::Relaxed);
    client.clone().get(&format!("/testkit/user/{question}")).await;
    let user = site.own::<Recognised>().0.lock().unwrap().remove(&question);
    user.expect("somebody should be signed in")
}
