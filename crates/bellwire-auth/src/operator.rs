//! Account administration for the operator's commands. It can run while the site is running.

use bellwire_web::db::{DbError, Tx};

use super::Accounts;
use super::name::{self, Name};
use super::session::{EndReason, SessionFilter};
use super::users::{self, Changed, NewUser, Taken};
use crate::SiteError;

/// An account as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id, never reused.
    pub id: i64,
    /// As the person typed it.
    pub name: String,
    /// The e-mail address, if the person gave one.
    pub email: Option<String>,
    /// Whether the person is an administrator.
    pub is_admin: bool,
    /// Whether the person is staff. Administrators are.
    pub is_staff: bool,
    /// Whether the person may sign in.
    pub is_active: bool,
}

/// The reason why an account command failed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The name is invalid.
    #[error("invalid name: {0}")]
    Name(&'static str),
    /// The e-mail address is invalid.
    #[error("invalid e-mail address: {0}")]
    Email(&'static str),
    /// The password is too short, too long or easy to guess.
    #[error("invalid password: {0}")]
    Password(&'static str),
    /// Another account has this name.
    #[error("there is an account with this name already")]
    NameTaken,
    /// Another account has this e-mail address.
    #[error("there is an account with this e-mail address already")]
    EmailTaken,
    /// There is no such account.
    #[error("there is no account with the name or e-mail address `{0}`")]
    Nobody(String),
    /// The database failed, or the server is busy.
    #[error("{}", .0.for_log())]
    Site(SiteError),
}

impl From<SiteError> for OperatorError {
    fn from(error: SiteError) -> Self {
        Self::Site(error)
    }
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
    /// Creates an account.
    ///
    /// # Errors
    /// If the name, the e-mail address or the password is invalid, or the name or address is taken.
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
        let created = self.inner.db.write(async move |tx: Tx| {
            let email = new.email.as_ref().map(|(_, key)| key.as_str());
            match users::taken(&tx, &new.name, email).await? {
                Some(Taken::Name) => Err(OperatorError::NameTaken),
                Some(Taken::Email) => Err(OperatorError::EmailTaken),
                None => Ok(users::insert(&tx, new).await?),
            }
        });
        created.await.map(Person::from)
    }

    /// Sets the password of a person, given by name or e-mail address, and ends all their sessions.
    ///
    /// # Errors
    /// If there is no such account, or the password is refused.
    pub async fn set_password(
        &self,
        login: &str,
        password: String,
    ) -> Result<Person, OperatorError> {
        let person = self.find(login).await?;
        let email = person.email.as_deref().unwrap_or_default();
        self.check_password(&password, &[&person.name, email])
            .await?
            .map_err(OperatorError::Password)?;
        let hash = self.inner.hasher.hash(password).await?;
        self.change(person, Changed::Password(hash), Some(EndReason::NewPassword)).await
    }

    /// Makes a person an administrator.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn promote(&self, login: &str) -> Result<Person, OperatorError> {
        self.change(self.find(login).await?, Changed::Admin(true), None).await
    }

    /// Grants or revokes the staff role. It takes effect with the person's next request.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn set_staff(&self, login: &str, is_staff: bool) -> Result<Person, OperatorError> {
        self.change_staff(self.find(login).await?, is_staff).await
    }

    pub(super) async fn change_staff(
        &self,
        person: Person,
        is_staff: bool,
    ) -> Result<Person, OperatorError> {
        self.change(person, Changed::Staff(is_staff), None).await
    }

    /// Prevents a person from signing in, and ends all their sessions.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn deactivate(&self, login: &str) -> Result<Person, OperatorError> {
        self.change(self.find(login).await?, Changed::Active(false), Some(EndReason::Deactivated))
            .await
    }

    /// Allows a person to sign in again.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn activate(&self, login: &str) -> Result<Person, OperatorError> {
        self.change(self.find(login).await?, Changed::Active(true), None).await
    }

    /// All accounts, oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn everyone(&self) -> Result<Vec<Person>, OperatorError> {
        Ok(users::all(self.inner.db.read()).await?.into_iter().map(Person::from).collect())
    }

    async fn find(&self, login: &str) -> Result<Person, OperatorError> {
        let found = users::find_by_login(self.inner.db.read(), login.trim()).await?;
        found.map(Person::from).ok_or_else(|| OperatorError::Nobody(login.to_owned()))
    }

    /// Changes an account and, if `end` is a reason, ends its sessions, in one transaction.
    async fn change(
        &self,
        person: Person,
        changed: Changed,
        end: Option<EndReason>,
    ) -> Result<Person, OperatorError> {
        let accounts = self.clone();
        let write = async move |tx: Tx| {
            let user = users::change(&tx, person.id, changed).await?;
            if let Some(reason) = end {
                accounts
                    .sessions()
                    .end(&tx, SessionFilter::All { user_id: person.id }, reason)
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
