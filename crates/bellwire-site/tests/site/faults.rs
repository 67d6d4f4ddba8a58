//! Tests of database faults: full, locked, unreachable or misused. No acknowledged write is lost,
//! and service recovers automatically.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwire_site::SiteSettings as _;
use bellwire_site::{DatabaseUrl, Db, DbError, SiteError, Tx};
use bellwire_testkit::{
    Client, PATIENCE, TestDatabase, TestSite, apply, on_databases, on_postgres, within,
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::notes::{note, notes, with_notes};

/// The notes that another process reads.
async fn notes_in_another_process(site: &TestSite) -> Vec<i32> {
    let other = Db::open(&site.state().settings().database, &[]).await.unwrap();
    let found = notes(other.read()).await;
    other.close().await;
    found
}

/// A plain database connection, outside of Bellwire.
async fn plain_connection(site: &TestSite) -> DatabaseConnection {
    let url = match &site.state().settings().database {
        DatabaseUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    Database::connect(url).await.unwrap()
}

async fn sql(db: &Db, sql: &'static str) -> Result<(), DbError> {
    db.write(async move |tx: Tx| Ok(tx.execute_unprepared(sql).await.map(|_| ())?)).await
}

#[tokio::test]
async fn acknowledged_writes_are_on_disk_after_failed_commits() {
    let (site, db) = with_notes(&TestDatabase::Sqlite).await;
    sql(&db, "CREATE TABLE one (id INTEGER PRIMARY KEY)").await.unwrap();
    sql(&db, "CREATE TABLE many (one INTEGER REFERENCES one (id))").await.unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    // The first statement leaves SQLite without a transaction; the second makes the commit fail and
    // leave it open. Together they cause the driver to nest the next transaction in one that never
    // ends.
    let rolled_back = "ROLLBACK";
    let open = "PRAGMA defer_foreign_keys = ON; INSERT INTO many VALUES (404)";
    for wrong in [rolled_back, open, open, rolled_back] {
        let counter = calls.clone();
        let failed = db.write(async move |tx: Tx| {
            note(&tx, -1).await?;
            tx.on_commit(move || {
                counter.fetch_add(1, Ordering::SeqCst);
            });
            Ok::<_, DbError>(tx.execute_unprepared(wrong).await.map(|_| ())?)
        });
        let failed = failed.await;
        assert!(matches!(failed, Err(DbError::NotCommitted(_))), "{wrong}: {failed:?}");
    }
    for n in 1..=3 {
        db.write(async move |tx: Tx| note(&tx, n).await).await.unwrap();
        assert_eq!(notes_in_another_process(&site).await, (1..=n).collect::<Vec<_>>());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0, "nothing is published for a failed commit");
    site.stop().await;
}

#[tokio::test]
async fn a_job_whose_transaction_sqlite_has_ended_writes_nothing() {
    let restarted = "ROLLBACK; BEGIN; SAVEPOINT _sqlx_savepoint_1";
    for (ended, continues) in
        [("ROLLBACK", true), ("COMMIT", true), (restarted, true), (restarted, false)]
    {
        let (site, db) = with_notes(&TestDatabase::Sqlite).await;
        let jobs = (1..=9).map(|n| {
            db.write(async move |tx: Tx| {
                note(&tx, n).await?;
                if n == 5 {
                    // Simulates a disk that was full for a moment; the job continues and ignores
                    // the error.
                    let _ = tx.execute_unprepared(ended).await;
                    if continues {
                        let _ = note(&tx, 100).await;
                    }
                }
                Ok::<_, DbError>(())
            })
        });
        let answers = futures_util::future::join_all(jobs).await;
        db.write(async |tx: Tx| note(&tx, 10).await).await.unwrap();
        let kept =
            (1..).zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(n, _)| n).chain([10]);
        assert_eq!(notes_in_another_process(&site).await, kept.collect::<Vec<_>>(), "{ended}");
        site.stop().await;
    }
}

#[tokio::test]
async fn a_full_disk_is_reported_and_writing_recovers() {
    let (site, db) = with_notes(&TestDatabase::Sqlite).await;
    db.write(async |tx: Tx| note(&tx, 1).await).await.unwrap();
    let full = db.write(async |tx: Tx| {
        tx.execute_unprepared("PRAGMA max_page_count = 1").await?; // no more pages than there are
        note(&tx, 2).await?;
        let many = "WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 9000)";
        let filled =
            tx.execute_unprepared(&format!("INSERT INTO notes {many} SELECT n FROM c")).await;
        assert!(filled.is_err());
        let _ = note(&tx, 3).await;
        Ok::<_, DbError>(())
    });
    let full = full.await;
    let kept = notes_in_another_process(&site).await;
    match full {
        Ok(()) => assert_eq!(kept, [1, 2, 3]),
        Err(error) => {
            assert!(matches!(error, DbError::Full(_)), "{error:?}");
            assert_eq!(kept, [1]);
        }
    }
    let full = db.write(async |tx: Tx| {
        tx.execute_unprepared("PRAGMA max_page_count = 1").await?;
        tx.execute_unprepared("INSERT INTO notes SELECT length(zeroblob(9)) FROM notes").await?;
        Ok::<_, DbError>(tx.execute_unprepared("CREATE TABLE more (what BLOB)").await.map(|_| ())?)
    });
    let error = full.await.unwrap_err();
    assert!(matches!(error, DbError::Full(_)), "{error:?}");
    let error = SiteError::from(error);
    assert!(
        error.to_string().contains("disk is full")
            && error.for_log().contains("database or disk is full")
    );
    assert_eq!(notes(db.read()).await, kept, "reading works");
    db.write(async |tx: Tx| note(&tx, 9).await).await.unwrap();
    assert_eq!(notes_in_another_process(&site).await, [kept, vec![9]].concat());
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_read_only_database_is_reported_and_writing_recovers(database: TestDatabase) {
    let (site, db) = with_notes(&database).await;
    let read_only = match &database {
        TestDatabase::Sqlite => "PRAGMA query_only = ON",
        TestDatabase::Postgres(_) => "SET TRANSACTION READ ONLY",
    };
    let refused = db.write(async move |tx: Tx| {
        tx.execute_unprepared(read_only).await?;
        let refused = note(&tx, 1).await;
        tx.execute_unprepared(&read_only.replace("ON", "OFF")).await.ok();
        refused
    });
    let error = refused.await.unwrap_err();
    assert!(matches!(error, DbError::ReadOnly(_)), "{error:?}");
    assert!(SiteError::from(error).to_string().contains("Reading still works"));
    db.write(async |tx: Tx| note(&tx, 2).await).await.unwrap();
    assert_eq!(notes_in_another_process(&site).await, [2]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_job_that_ignores_a_failed_statement_is_acknowledged_only_if_it_is_committed(
    database: TestDatabase,
) {
    let (site, db) = with_notes(&database).await;
    let answer = db.write(async |tx: Tx| {
        note(&tx, 1).await?;
        let _ = tx.execute_unprepared("nonsense").await;
        Ok::<_, DbError>(())
    });
    let kept = if answer.await.is_ok() { vec![1] } else { vec![] };
    assert_eq!(notes_in_another_process(&site).await, kept);
    assert_eq!(kept.is_empty(), matches!(database, TestDatabase::Postgres(_)));
    site.stop().await;
}

#[tokio::test]
async fn an_endless_statement_is_aborted_and_the_next_job_runs() {
    let (site, db) = with_notes(&TestDatabase::Sqlite).await;
    let endless = db.write(async |tx: Tx| {
        note(&tx, 1).await?;
        tokio::time::pause(); // from here on time passes as soon as nothing else happens
        let endless =
            "WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
        Ok::<_, DbError>(tx.execute_unprepared(endless).await.map(|_| ())?)
    });
    assert!(matches!(endless.await, Err(DbError::TimedOut)));
    tokio::time::resume();
    db.write(async |tx: Tx| note(&tx, 2).await).await.unwrap();
    assert_eq!(notes_in_another_process(&site).await, [2]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn while_another_process_holds_a_lock_writers_get_an_error_and_readers_continue(
    database: TestDatabase,
) {
    let (site, db) = with_notes(&database).await;
    db.write(async |tx: Tx| note(&tx, 1).await).await.unwrap();
    let other = plain_connection(&site).await;
    let held = other.begin().await.unwrap();
    held.execute_unprepared("UPDATE notes SET n = n").await.unwrap();
    let writers: Vec<_> = (0..25)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { sql(&db, "UPDATE notes SET n = n + 1").await })
        })
        .collect();
    let reading = async {
        while !writers.iter().all(JoinHandle::is_finished) {
            assert_eq!(notes(db.read()).await, [1]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Half of `PATIENCE` is the database's own lock timeout.
    tokio::time::timeout(2 * PATIENCE, reading).await.expect("an answer to every writer");
    for writer in writers {
        let answer = writer.await.unwrap();
        assert!(matches!(answer, Err(DbError::Busy)), "{answer:?}");
    }
    held.rollback().await.unwrap();
    sql(&db, "UPDATE notes SET n = 7").await.unwrap();
    assert_eq!(notes_in_another_process(&site).await, [7]);
    other.close().await.unwrap();
    site.stop().await;
}

/// A TCP proxy to a server that can be disconnected or stalled.
struct Proxy {
    port: u16,
    to: String,
    open: Option<JoinHandle<()>>,
    still: watch::Sender<bool>,
}

impl Proxy {
    async fn to(server: String) -> Self {
        let mut proxy = Self { port: 0, to: server, open: None, still: watch::Sender::new(false) };
        proxy.open().await;
        proxy
    }

    async fn open(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let (to, still) = (self.to.clone(), self.still.subscribe());
        self.open = Some(tokio::spawn(async move {
            // Dropped with this task, which closes the connections.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let (near_in, near_out) = near.into_split();
                let (far_in, far_out) = TcpStream::connect(&to).await.unwrap().into_split();
                connections.spawn(carry(near_in, far_out, still.clone()));
                connections.spawn(carry(far_in, near_out, still.clone()));
            }
        }));
    }

    async fn cut(&mut self) {
        let open = self.open.take().unwrap();
        open.abort();
        let _ = open.await;
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut still: watch::Receiver<bool>) {
    let mut bytes = [0; 8192];
    while let Ok(some @ 1..) = from.read(&mut bytes).await {
        if still.wait_for(|still| !still).await.is_err()
            || to.write_all(&bytes[..some]).await.is_err()
        {
            return;
        }
    }
}

/// A site that connects to PostgreSQL through a [`Proxy`].
async fn site_behind_a_proxy(database: &TestDatabase) -> (TestSite, Proxy) {
    let TestDatabase::Postgres(server) = database else { unreachable!() };
    let server = url::Url::parse(server).unwrap();
    let proxy =
        Proxy::to(format!("{}:{}", server.host_str().unwrap(), server.port().unwrap_or(5432)))
            .await;
    let site = TestSite::start_with(database, vec![bellwire_home::app()], |settings| {
        let DatabaseUrl::Postgres(direct) = &settings.database else { unreachable!() };
        let mut through = url::Url::parse(direct).unwrap();
        through.set_host(Some("127.0.0.1")).unwrap();
        through.set_port(Some(proxy.port)).unwrap();
        settings.database = DatabaseUrl::Postgres(through.into());
    })
    .await;
    (site, proxy)
}

async fn wait_until_recovered(ada: &mut Client) {
    let back = async {
        while ada.get("/").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within("the recovery", back).await;
}

#[apply(on_postgres)]
#[tokio::test]
async fn an_unreachable_server_is_reported_at_once_and_reconnected_automatically(
    database: TestDatabase,
) {
    let (site, mut proxy) = site_behind_a_proxy(&database).await;
    let mut ada = site.person("Ada").await;
    assert_eq!(ada.get("/").await.status, 200);
    proxy.cut().await;
    let pages = (0..30).map(|_| {
        let mut ada = ada.clone();
        tokio::spawn(async move { ada.get("/").await })
    });
    for page in futures_util::future::join_all(pages).await {
        let page = page.unwrap();
        assert!(
            page.status == 503 && page.text.contains("cannot be reached at the moment"),
            "{}",
            page.text
        );
        assert_eq!(page.header("retry-after"), "5");
    }
    let refused = sql(site.state().db(), "CREATE TABLE never (n INTEGER)").await;
    assert!(matches!(refused, Err(DbError::Unreachable(_))), "{refused:?}");
    proxy.open().await;
    wait_until_recovered(&mut ada).await;
    sql(site.state().db(), "CREATE TABLE again (n INTEGER)").await.unwrap();
    site.stop().await;
}

#[apply(on_postgres)]
#[tokio::test]
async fn a_server_that_stops_answering_does_not_block_requests_forever(database: TestDatabase) {
    let (site, proxy) = site_behind_a_proxy(&database).await;
    let db = site.state().db().clone();
    sql(&db, "CREATE TABLE notes (n INTEGER)").await.unwrap();
    let mut ada = site.person("Ada").await;
    let (told, begun) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let job = tokio::spawn(async move {
        let job = async move |tx: Tx| {
            note(&tx, 1).await?;
            told.send(()).unwrap();
            released.await.unwrap();
            note(&tx, 2).await
        };
        db.write(job).await
    });
    within("the job", begun).await.unwrap();
    proxy.still.send_replace(true);
    release.send(()).unwrap();
    let page = ada.get("/").await;
    assert!(
        page.status == 503 && page.text.contains("cannot be reached at the moment"),
        "{}",
        page.text
    );
    let answer = within("the end of the job", job).await.unwrap();
    assert!(matches!(answer, Err(DbError::TimedOut)), "{answer:?}");
    proxy.still.send_replace(false);
    wait_until_recovered(&mut ada).await;
    site.state().db().write(async |tx: Tx| note(&tx, 3).await).await.unwrap();
    assert_eq!(notes(site.state().db().read()).await, [3]);
    site.stop().await;
}

#[apply(on_postgres)]
#[tokio::test]
async fn postgresql_with_asynchronous_commit_is_refused(database: TestDatabase) {
    let (site, db) = with_notes(&database).await;
    let DatabaseUrl::Postgres(url) = &site.state().settings().database else { unreachable!() };
    let lax = DatabaseUrl::Postgres(format!("{url}?options=-c%20synchronous_commit%3Doff"));
    let name = url.rsplit('/').next().unwrap().to_owned();
    let refused = Db::open(&lax, &[]).await.unwrap_err().to_string();
    assert!(refused.contains("synchronous_commit=off"), "{refused}");
    let alter = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    let altered =
        db.write(async move |tx: Tx| Ok::<_, DbError>(tx.execute_unprepared(&alter).await?));
    altered.await.unwrap();
    assert!(Db::open(&site.state().settings().database, &[]).await.is_err());
    // Connections of a running site keep synchronous commit, new ones too.
    let asked = (0..10).map(|_| {
        db.write(async |tx: Tx| {
            let statement = sea_orm::Statement::from_string(
                tx.get_database_backend(),
                "SHOW synchronous_commit",
            );
            let row = tx.query_one_raw(statement).await?.ok_or(DbError::Closed)?;
            Ok::<_, DbError>(row.try_get::<String>("", "synchronous_commit")?)
        })
    });
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.unwrap(), "on");
    }
    site.stop().await;
}

#[tokio::test]
#[cfg(unix)]
async fn the_files_of_a_new_database_are_readable_only_by_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let open = |settings: &mut bellwire_site::Settings| {
        // Independent of the umask.
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&settings.data, everybody).unwrap();
        // The site must create the file itself: a copied template has the permissions that the test
        // gave it.
        let DatabaseUrl::Sqlite(copy) = &settings.database else { unreachable!() };
        std::fs::remove_file(copy).unwrap();
    };
    let site = TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], open).await;
    let folder = site.state().settings().data.clone();
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755, "the folder was there before");
    for file in ["bellwire.db", "bellwire.db-wal", "bellwire.db-shm"] {
        let mode = std::fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    site.stop().await;
}
