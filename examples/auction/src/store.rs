//! The tables, with one numbered list of bids for each lot.

use std::str::FromStr;

use bellwire::Seq;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use crate::error::AuctionError;
use crate::person::Person;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, person INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS lots (
        id INTEGER PRIMARY KEY, title TEXT NOT NULL, seq INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS bids (
        lot INTEGER NOT NULL, seq INTEGER NOT NULL, person INTEGER NOT NULL,
        amount INTEGER NOT NULL, key TEXT, PRIMARY KEY (lot, seq), UNIQUE (lot, person, key)
    );
    INSERT OR IGNORE INTO lots (id, title) VALUES (1, 'A brass bell'), (2, 'A copper wire');
";

/// The storage of the auction. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(SqlitePool);

/// A lot.
#[derive(Debug)]
pub(crate) struct Lot {
    pub(crate) id: i64,
    pub(crate) title: String,
    /// The number of its last bid.
    pub(crate) seq: Seq,
}

/// A bid, with its number in the list of its lot.
#[derive(Debug, Clone)]
pub(crate) struct Bid {
    pub(crate) seq: Seq,
    pub(crate) person: i64,
    pub(crate) name: String,
    pub(crate) amount: i64,
}

impl Store {
    /// Opens a file, or a database in memory.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub async fn open(file: Option<&str>) -> anyhow::Result<Self> {
        let url =
            file.map_or_else(|| "sqlite::memory:".to_owned(), |file| format!("sqlite:{file}"));
        let options = SqliteConnectOptions::from_str(&url)?.create_if_missing(true);
        // One connection: SQLite has one writer, and a database in memory belongs to one connection.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        Ok(Self(pool))
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.0.close().await;
    }

    /// Begins a session of the person with this name.
    pub(crate) async fn sign_in(&self, name: &str, token: &str) -> sqlx::Result<()> {
        sqlx::query("INSERT OR IGNORE INTO people (name) VALUES (?)")
            .bind(name)
            .execute(&self.0)
            .await?;
        sqlx::query("INSERT INTO sessions SELECT ?, id FROM people WHERE name = ?")
            .bind(token)
            .bind(name)
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Ends a session.
    pub(crate) async fn sign_out(&self, token: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM sessions WHERE token = ?").bind(token).execute(&self.0).await?;
        Ok(())
    }

    /// The person of a session.
    pub(crate) async fn person(&self, token: &str) -> sqlx::Result<Option<Person>> {
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT id, name FROM people JOIN sessions ON person = id WHERE token = ?",
        )
        .bind(token)
        .fetch_optional(&self.0)
        .await?;
        Ok(found.map(|(id, name)| Person { id, name, token: token.to_owned() }))
    }

    pub(crate) async fn lots(&self) -> sqlx::Result<Vec<Lot>> {
        let rows: Vec<(i64, String, Seq)> =
            sqlx::query_as("SELECT id, title, seq FROM lots ORDER BY id")
                .fetch_all(&self.0)
                .await?;
        Ok(rows.into_iter().map(|(id, title, seq)| Lot { id, title, seq }).collect())
    }

    pub(crate) async fn lot(&self, id: i64) -> Result<Lot, AuctionError> {
        let found: Option<(String, Seq)> =
            sqlx::query_as("SELECT title, seq FROM lots WHERE id = ?")
                .bind(id)
                .fetch_optional(&self.0)
                .await?;
        let (title, seq) = found.ok_or(AuctionError::NoLot)?;
        Ok(Lot { id, title, seq })
    }

    /// The bids after number `since`, the oldest first.
    pub(crate) async fn bids(&self, lot: i64, since: Seq) -> sqlx::Result<Vec<Bid>> {
        let rows: Vec<(Seq, i64, String, i64)> = sqlx::query_as(
            "SELECT seq, person, name, amount FROM bids JOIN people ON people.id = person
             WHERE lot = ? AND seq > ? ORDER BY seq",
        )
        .bind(lot)
        .bind(since)
        .fetch_all(&self.0)
        .await?;
        let bid = |(seq, person, name, amount)| Bid { seq, person, name, amount };
        Ok(rows.into_iter().map(bid).collect())
    }

    /// The highest bid.
    pub(crate) async fn highest(&self, lot: i64) -> sqlx::Result<Option<Bid>> {
        Ok(self.bids(lot, 0).await?.pop())
    }

    /// Places a bid in one transaction, which takes the next number of its lot. A repeat with the
    /// same key is the same bid.
    pub(crate) async fn place(
        &self,
        lot: i64,
        person: &Person,
        amount: i64,
        key: Option<&str>,
    ) -> Result<Bid, AuctionError> {
        let mut tx = self.0.begin().await?;
        let earlier: Option<(Seq, i64)> =
            sqlx::query_as("SELECT seq, amount FROM bids WHERE lot = ? AND person = ? AND key = ?")
                .bind(lot)
                .bind(person.id)
                .bind(key)
                .fetch_optional(&mut *tx)
                .await?;
        let bid = |seq, amount| Bid { seq, person: person.id, name: person.name.clone(), amount };
        if let Some((seq, amount)) = earlier {
            return Ok(bid(seq, amount));
        }
        let highest: Option<i64> = sqlx::query_scalar("SELECT max(amount) FROM bids WHERE lot = ?")
            .bind(lot)
            .fetch_one(&mut *tx)
            .await?;
        let least = highest.unwrap_or(0) + 1;
        if amount < least {
            return Err(AuctionError::TooLow { least });
        }
        let seq: Seq =
            sqlx::query_scalar("UPDATE lots SET seq = seq + 1 WHERE id = ? RETURNING seq")
                .bind(lot)
                .fetch_one(&mut *tx)
                .await?;
        sqlx::query("INSERT INTO bids (lot, seq, person, amount, key) VALUES (?, ?, ?, ?, ?)")
            .bind(lot)
            .bind(seq)
            .bind(person.id)
            .bind(amount)
            .bind(key)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(bid(seq, amount))
    }
}
