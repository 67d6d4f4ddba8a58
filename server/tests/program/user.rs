//! Tests of `bellwire user` while the site runs.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use bellwire_site::DatabaseUrl;
use bellwire_site::SiteSettings as _;
use bellwire_testkit::{Client, TestDatabase, TestSite, Window, apply, on_databases};

use crate::support::{Finished, bellwire, folder};

const PASSWORD: &str = "a bell in a tower";

/// Runs the program in a separate process, with `input` on its standard input.
async fn run(database: &str, arguments: &[&str], input: &str) -> Finished {
    let folder = folder("user");
    let (database, input) = (database.to_owned(), input.to_owned());
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let work = move || {
        let mut command = bellwire(&folder);
        command.args(arguments).env("DATABASE_URL", database).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may have ended without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let finished = Finished::wait(child);
        std::fs::remove_dir_all(&folder).unwrap();
        finished
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn address(database: &DatabaseUrl) -> String {
    match database {
        DatabaseUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    }
}

async fn open(client: &Client) -> Window {
    let mut window = Window::open(client, "/ws/").await;
    window.text().await; // the server has registered the socket
    window
}

async fn closed(window: &mut Window) -> (u16, String) {
    let ending = window.ending().await;
    (ending.code, ending.reason)
}

async fn signed_in(site: &TestSite, name: &str, password: &str) -> Client {
    let mut client = site.client();
    assert_eq!(client.sign_in(name, password).await.status, 303, "{name}");
    client
}

#[apply(on_databases)]
#[tokio::test]
async fn an_account_is_created_promoted_deactivated_and_activated_while_the_site_runs(
    database: TestDatabase,
) {
    let site = TestSite::start(&database, vec![bellwire_home::app(), bellwire_chat::app()]).await;
    let url = address(&site.state().settings().database);
    let create = ["user", "create", "Ada", "--email", "ada@example.org"];
    let made = run(&url, &create, &format!("{PASSWORD}\n")).await;
    assert_eq!(
        (made.code, &*made.stdout),
        (Some(0), "Ada now has an account\n"),
        "{}",
        made.stderr
    );
    let mut ada = signed_in(&site, "ada@example.org", PASSWORD).await;
    let mut grace = site.person("Grace").await;

    let promoted = run(&url, &["user", "promote", "ADA"], "").await;
    assert_eq!((promoted.code, &*promoted.stdout), (Some(0), "Ada is an administrator\n"));
    assert!(
        ada.get("/").await.text.contains("title=\"Administrator\""),
        "at once, in the same session"
    );

    let (mut window, mut other) = (open(&ada).await, open(&grace).await);
    let off = run(&url, &["user", "deactivate", "ada@example.org"], "").await;
    assert_eq!(off.code, Some(0), "{}", off.stderr);
    assert_eq!(closed(&mut window).await, (1008, "This account was deactivated.".to_owned()));
    assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 422);
    let list = run(&url, &["user", "list"], "").await.stdout;
    assert_eq!(list, "1\tAda\tada@example.org\tdeactivated\n2\tGrace\t-\tactive\n");

    assert_eq!(run(&url, &["user", "activate", "Ada"], "").await.code, Some(0));
    assert!(!ada.get("/").await.text.contains("Sign out"), "ended sessions stay ended");
    signed_in(&site, "Ada", PASSWORD).await;
    assert_eq!(grace.post("/ring/", &[]).await.status, 303);
    other.hear(&["\"#rings\""]).await; // no other socket was closed
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_account_gains_and_loses_staff_status_while_the_site_runs(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let url = address(&site.state().settings().database);
    let ada = site.person("Ada").await;
    for (arguments, says, is_staff, list) in [
        (&["user", "staff", "ada"][..], "Ada is staff\n", true, "1\tAda\t-\tstaff\n"),
        (
            &["user", "staff", "Ada", "--revoke"],
            "Ada is no longer staff\n",
            false,
            "1\tAda\t-\tactive\n",
        ),
    ] {
        let finished = run(&url, arguments, "").await;
        assert_eq!((finished.code, &*finished.stdout), (Some(0), says), "{}", finished.stderr);
        assert_eq!(site.user(&ada).await.is_staff, is_staff, "in the same session");
        assert_eq!(run(&url, &["user", "list"], "").await.stdout, list);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_new_password_signs_the_person_out_everywhere(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app(), bellwire_chat::app()]).await;
    let url = address(&site.state().settings().database);
    let ada = site.person("Ada").await;
    let mut window = open(&ada).await;
    let changed = run(&url, &["user", "password", "Ada"], &format!("{PASSWORD}\r\n")).await;
    assert_eq!(changed.code, Some(0), "{}", changed.stderr);
    let (code, reason) = closed(&mut window).await;
    assert_eq!((code, &*reason), (1008, "The password was changed. Sign in with the new one."));
    assert!(!ada.clone().get("/").await.text.contains("Sign out"));
    signed_in(&site, "Ada", PASSWORD).await;
    site.stop().await;
}

#[tokio::test]
async fn invalid_commands_are_explained_and_change_nothing() {
    let site =
        TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app(), bellwire_chat::app()])
            .await;
    let url = address(&site.state().settings().database);
    site.person("Ada").await;
    for (arguments, input, code, says) in [
        (&["user", "create", "ada"][..], PASSWORD, 1, "there is an account with this name already"),
        (&["user", "create", "Bob"], "short", 1, "At least 8 characters"),
        (&["user", "create", "Bob"], "", 1, "no password on standard input"),
        (&["user", "create", "a@b"], PASSWORD, 1, "A name cannot contain @"),
        (
            &["user", "create", "Bob", "--email", "bob"],
            PASSWORD,
            1,
            "does not look like an e-mail address",
        ),
        (&["user", "create", "Bob", PASSWORD], PASSWORD, 2, "unexpected argument"),
        (
            &["user", "password", "Bob"],
            PASSWORD,
            1,
            "there is no account with the name or e-mail address `Bob`",
        ),
        (&["user", "password", "Ada"], "password", 1, "first passwords anyone would try"),
        (&["user", "promote", "Bob"], "", 1, "there is no account"),
        (&["user", "staff", "Bob"], "", 1, "there is no account"),
        (&["user", "deactivate", "bob@example.org"], "", 1, "there is no account"),
    ] {
        let finished = run(&url, arguments, input).await;
        assert_eq!(finished.code, Some(code), "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(says), "{arguments:?}: {}", finished.stderr);
        assert!(code == 2 || finished.stderr.lines().count() == 1, "{}", finished.stderr);
    }
    assert_eq!(run(&url, &["user", "list"], "").await.stdout, "1\tAda\t-\tactive\n");
    site.stop().await;
}

#[tokio::test]
async fn the_first_administrator_can_be_made_before_the_first_start() {
    let folder = folder("first");
    let url = format!("sqlite:{}", Path::new(&folder).join("site.db").display());
    let made = run(&url, &["user", "create", "Ada", "--admin"], PASSWORD).await;
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert_eq!(run(&url, &["user", "list"], "").await.stdout, "1\tAda\t-\tadministrator\n");
    std::fs::remove_dir_all(&folder).unwrap();
}
