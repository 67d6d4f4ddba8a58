//! Accounts of people who are made up, all with one password.

use bellwire_web::db::Tx;

use super::Accounts;
use super::name::{self, Name};
use super::operator::Person;
use super::users::{self, NewUser};
use crate::SiteError;

/// The number two processes agree on while one of them makes people up: "seedling" in ASCII.
const SEED: i64 = i64::from_be_bytes(*b"seedling");

/// Why a site is not filled.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Nobody is to find words in their mouth that they never said.
    #[error(
        "somebody here is called `{0}` already, as one of the people to be made: nothing was done"
    )]
    NameTaken(&'static str),
    /// The database, or an app.
    #[error(transparent)]
    Site(#[from] SiteError),
}

impl From<sea_orm::DbErr> for SeedError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Site(error.into())
    }
}

impl From<bellwire_web::db::DbError> for SeedError {
    fn from(error: bellwire_web::db::DbError) -> Self {
        Self::Site(error.into())
    }
}

impl Accounts {
    /// Makes accounts for those of these, a name and an e-mail address each, who have none. Returns
    /// all, and how many are new.
    ///
    /// # Errors
    /// That somebody else has one of the names, or the database's.
    pub async fn seed(
        &self,
        people: &'static [(&str, &str)],
        password: &str,
    ) -> Result<(Vec<Person>, usize), SeedError> {
        let wrong = |why: &str| SiteError::internal(why.to_owned());
        let own: Vec<_> = people.iter().flat_map(|(shown, email)| [*shown, *email]).collect();
        self.check_password(password, &own).await?.map_err(wrong)?;
        let mut wanted = Vec::new();
        for (shown, email) in people {
            let email = name::email(email).map_err(wrong)?;
            wanted.push((*shown, Name::new(shown).map_err(wrong)?, email.unwrap_or_default()));
        }
        // One hash for all: it is slow by design, and there is no secret in it.
        let hash = self.inner.hasher.hash(password.to_owned()).await?;
        let created_at = self.inner.clock.date();
        let make = async move |tx: Tx| {
            tx.lock(SEED).await?;
            let (mut all, mut new) = (Vec::new(), 0);
            for (shown, name, email) in wanted {
                if let Some(theirs) = users::called(&tx, &email.0).await? {
                    all.push(Person::from(theirs));
                    continue;
                }
                if users::taken(&tx, &name, None).await?.is_some() {
                    return Err(SeedError::NameTaken(shown));
                }
                let (email, password_hash) = (Some(email), hash.clone());
                let user = NewUser { name, email, password_hash, is_admin: false, created_at };
                all.push(Person::from(users::insert(&tx, user).await?));
                new += 1;
            }
            Ok((all, new))
        };
        self.inner.db.write(make).await
    }
}
