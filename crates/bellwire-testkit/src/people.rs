//! Test accounts: created in the database, signed in through the form.

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

/// Creates an account with [`PASSWORD`].
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

/// The results of the extractor [`User`], by request number.
#[derive(Debug, Default)]
struct ExtractedUsers(Mutex<HashMap<u64, User>>);

/// An app with one page, which stores the [`User`] that requested it.
pub(crate) fn app() -> App {
    App::new("testkit").routes(|_| Router::new().route("/testkit/user/{request}", get(store_user)))
}

async fn store_user(user: User, State(site): State<SiteState>, Path(request): Path<u64>) {
    site.own::<ExtractedUsers>().0.lock().unwrap().insert(request, user);
}

/// Returns the person who is signed in with this client, as the extractor [`User`] finds them.
pub(crate) async fn signed_in(site: &SiteState, client: &Client) -> User {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let request = NEXT.fetch_add(1, Ordering::Relaxed);
    client.clone().get(&format!("/testkit/user/{request}")).await;
    let user = site.own::<ExtractedUsers>().0.lock().unwrap().remove(&request);
    user.expect("a person should be signed in")
}
