//! What the operator does with accounts, from the command line and beside a running site.

use bellwire_web::db::{DbError, Tx};

use super::Accounts;
use super::name::{self, Name};
use super::session::{EndReason, SessionFilter};
use super::users::{self, Changed, NewUser, Taken};
use crate::SiteError;

/// An account as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Never given to somebody else.
    pub id: i64,
    /// As the person wrote it.
    pub name: String,
    /// Their address, if they gave one.
    pub email: Option<String>,
    /// Whether they may administer the site.
    pub is_admin: bool,
    /// Whether they look after what the apps show; administrators do.
    pub is_staff: bool,
    /// Whether they may sign in.
    pub is_active: bool,
}

/// Why the operator did not get what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The name will not do.
    #[error("this name will not do: {0}")]
    Name(&'static str),
    /// The e-mail address will not do.
    #[error("this e-mail address will not do: {0}")]
    Email(&'static str),
    /// The password will not do.
    #[error("this password will not do: {0}")]
    Password(&'static str),
    /// There is an account with this name.
    #[error("there is an account with this name already")]
    NameTaken,
    /// There is an account with this address.
    #[error("there is an account with this e-mail address already")]
    EmailTaken,
    /// There is no such account.
    #[error("there is no account with the name or e-mail address `{0}`")]
    Nobody(String),
    /// The database did not do it.
    #[error(transparent)]
    Site(#[from] SiteError),
}

impl From<DbError> for OperatorError {
    fn from(error: DbError) -> Self {
        Self::Site(error.into())
    }
}

impl From<sea_orm::DbErr> for OperatorError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Site(error.into())
    }
}

impl Accounts {
    /// Makes an account.
    ///
    /// # Errors
    /// When the name, the address or the password will not do, or is taken.
    pub async fn create(
        &self,
        name: &str,
        email: Option<&str>,
        password: String,
        is_admin: bool,
    ) -> Result<Person, OperatorError> {
        let email = email.unwrap_or_default();
        self.check_password(&password, &[name, email]).await?.map_err(OperatorError::Password)?;
        let name = Name::new(name).map_err(OperatorError::Name)?;
        let email = name::email(email).map_err(OperatorError::Email)?;
        let password_hash = self.inner.hasher.hash(password).await?;
        let new =
            NewUser { name, email, password_hash, is_admin, created_at: self.inner.clock.date() };
        let made = self.inner.db.write(async move |tx: Tx| {
            let email = new.email.as_ref().map(|(_, key)| key.as_str());
            match users::taken(&tx, &new.name, email).await? {
                Some(Taken::Name) => Err(OperatorError::NameTaken),
                Some(Taken::Email) => Err(OperatorError::EmailTaken),
                None => Ok(users::insert(&tx, new).await?),
            }
        });
        made.await.map(Person::from)
    }

    /// Gives somebody, known by name or e-mail address, a new password, and ends all their
    /// sessions.
    ///
    /// # Errors
    /// When there is nobody of that name, or the password will not do.
    pub async fn set_password(&self, who: &str, password: String) -> Result<Person, OperatorError> {
        let person = self.find(who).await?;
        let email = person.email.as_deref().unwrap_or_default();
        self.check_password(&password, &[&person.name, email])
            .await?
            .map_err(OperatorError::Password)?;
        let hash = self.inner.hasher.hash(password).await?;
        self.change(person, Changed::Password(hash), Some(EndReason::NewPassword)).await
    }

    /// Makes somebody an administrator.
    ///
    /// # Errors
    /// When there is nobody of that name.
    pub async fn promote(&self, who: &str) -> Result<Person, OperatorError> {
        self.change(self.find(who).await?, Changed::Admin(true), None).await
    }

    /// Gives somebody the role of staff, or takes it. It counts from what they ask for next.
    ///
    /// # Errors
    /// When there is nobody of that name.
    pub async fn set_staff(&self, who: &str, is_staff: bool) -> Result<Person, OperatorError> {
        self.change_staff(self.find(who).await?, is_staff).await
    }

    pub(super) async fn change_staff(
        &self,
        person: Person,
        is_staff: bool,
    ) -> Result<Person, OperatorError> {
        self.change(person, Changed::Staff(is_staff), None).await
    }

    /// Lets somebody sign in no more, and ends all their sessions.
    ///
    /// # Errors
    /// When there is nobody of that name.
    pub async fn deactivate(&self, who: &str) -> Result<Person, OperatorError> {
        self.change(self.find(who).await?, Changed::Active(false), Some(EndReason::Deactivated))
            .await
    }

    /// Lets somebody sign in again.
    ///
    /// # Errors
    /// When there is nobody of that name.
    pub async fn activate(&self, who: &str) -> Result<Person, OperatorError> {
        self.change(self.find(who).await?, Changed::Active(true), None).await
    }

    /// Every account, the oldest first.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn everyone(&self) -> Result<Vec<Person>, OperatorError> {
        Ok(users::all(self.inner.db.read()).await?.into_iter().map(Person::from).collect())
    }

    async fn find(&self, who: &str) -> Result<Person, OperatorError> {
        let found = users::called(self.inner.db.read(), who.trim()).await?;
        found.map(Person::from).ok_or_else(|| OperatorError::Nobody(who.to_owned()))
    }

    /// Changes an account and, if it says why, ends its sessions: both or neither.
    async fn change(
        &self,
        person: Person,
        changed: Changed,
        end: Option<EndReason>,
    ) -> Result<Person, OperatorError> {
        let accounts = self.clone();
        let write = async move |tx: Tx| {
            let user = users::change(&tx, person.id, changed).await?;
            if let Some(why) = end {
                accounts
                    .sessions()
                    .end(&tx, SessionFilter::All { user_id: person.id }, why)
                    .await?;
            }
            Ok::<_, OperatorError>(Person::from(user))
        };
        self.inner.db.write(write).await
    }
}

impl From<users::Model> for Person {
    fn from(user: users::Model) -> Self {
        let users::Model { id, name, email, is_admin, is_staff, is_active, .. } = user;
        Self { id, name, email, is_admin, is_staff: is_staff || is_admin, is_active }
    }
}
