//! Demo accounts with one shared password, for `bellwire seed`.

use bellwire_web::db::Tx;

use super::Accounts;
use super::name::{self, Name};
use super::operator::Person;
use super::users::{self, NewUser};
use crate::SiteError;

/// The key of the advisory lock that serialises seeding between processes: "seedling" in ASCII.
const SEED: i64 = i64::from_be_bytes(*b"seedling");

/// The reason why a site was not seeded.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A real account has the name of a demo person. Seeding would attribute made-up messages to
    /// it.
    #[error(
        "another account already has the name `{0}` of a demo person; nothing was changed. Seed a \
         site without this account"
    )]
    NameTaken(&'static str),
    /// The database or an app failed.
    #[error("{}", .0.for_log())]
    Site(SiteError),
}

impl From<SiteError> for SeedError {
    fn from(error: SiteError) -> Self {
        Self::Site(error)
    }
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
    /// Creates the missing accounts among `people`, each a name and an e-mail address. Returns all
    /// of them and the number of new ones.
    ///
    /// # Errors
    /// If another account has one of the names, or the database fails.
    pub async fn seed(
        &self,
        people: &'static [(&str, &str)],
        password: &str,
    ) -> Result<(Vec<Person>, usize), SeedError> {
        let invalid = |reason: &str| SiteError::internal(reason.to_owned());
        let own: Vec<_> = people.iter().flat_map(|(shown, email)| [*shown, *email]).collect();
        self.check_password(password, &own).await?.map_err(invalid)?;
        let mut new_people = Vec::new();
        for (shown, email) in people {
            let email = name::email(email).map_err(invalid)?;
            new_people.push((
                *shown,
                Name::new(shown).map_err(invalid)?,
                email.unwrap_or_default(),
            ));
        }
        // One hash for all: hashing is slow by design, and the password is public.
        let hash = self.inner.hasher.hash(password.to_owned()).await?;
        let created_at = self.inner.clock.date();
        let make = async move |tx: Tx| {
            tx.lock(SEED).await?;
            let (mut all, mut new) = (Vec::new(), 0);
            for (shown, name, email) in new_people {
                if let Some(existing) = users::find_by_login(&tx, &email.0).await? {
                    all.push(Person::from(existing));
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
