//! Which passwords will do, and how they are kept.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::name::name_key;
use crate::SiteError;

/// The shortest password, in characters.
const SHORTEST: usize = 8;

/// The longest, in bytes: hashing must not become a way to keep us busy.
pub(super) const LONGEST: usize = 1000;

/// What Argon2id costs: 19 MiB and two passes (OWASP's choice), about 30 ms.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Passwords that may wait to be hashed. The next one is refused with 503, and the person tries again.
const WAITING: usize = 64;

/// Passwords so common that they are tried first; in lower case, one a line.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Checked when there is no such account, so that it takes as long as when there is one. No password fits it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$QUFBQUFBQUFBQUFBQUFBQQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a password will do for somebody with this name and address.
///
/// # Errors
/// What is wrong with it, for the person who typed it.
pub(super) fn check(password: &str, name: &str, email: &str) -> Result<(), &'static str> {
    let lower = password.to_lowercase();
    let own = |word: &str| !word.is_empty() && name_key(&lower) == name_key(word);
    if password.chars().count() < SHORTEST {
        Err("At least 8 characters, please.")
    } else if password.len() > LONGEST {
        Err("That is too long.")
    } else if COMMON.contains(lower.as_str()) || is_one_letter(&lower) {
        Err("This is one of the first passwords anyone would try.")
    } else if own(name) || own(email) || email.split_once('@').is_some_and(|(own_name, _)| own(own_name)) {
        Err("A password should not be your name or your address.")
    } else {
        Ok(())
    }
}

fn is_one_letter(password: &str) -> bool {
    let mut letters = password.chars();
    let first = letters.next();
    letters.all(|letter| Some(letter) == first)
}

/// Hashes off the event loop, a bounded number at a time.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Hasher {
    /// Half of the processors, so that pages are served meanwhile.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = Arc::new(Semaphore::new((processors / 2).max(1)));
        Self { at_once, waiting: Arc::new(Semaphore::new(WAITING)) }
    }
}

impl Hasher {
    /// The hash to keep of a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, SiteError> {
        let hash = move || {
            argon2().and_then(|argon2| argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()))
        };
        self.work(hash).await?.map_err(|error| SiteError::internal(error.to_string()))
    }

    /// Whether a password fits a hash. Without one the work is the same, and the answer is no.
    pub(super) async fn fits(&self, password: String, hash: Option<String>) -> Result<bool, SiteError> {
        let (somebody, hash) = (hash.is_some(), hash.unwrap_or_else(|| NOBODY.to_owned()));
        let verify = move || {
            argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), hash.as_str()).is_ok())
        };
        Ok(self.work(verify).await? && somebody)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SiteError> {
        let _place = self.waiting.try_acquire().map_err(|_| SiteError::Busy)?;
        let turn = self.at_once.clone().acquire_owned().await.map_err(SiteError::internal)?;
        let work = move || {
            let done = work();
            drop(turn); // here, because the work goes on when whoever asked for it has gone
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(SiteError::internal)
    }
}

fn argon2() -> argon2::password_hash::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anyone_would_try_first_is_refused() {
        let longest = "x1".repeat(LONGEST);
        for bad in [
            "",
            "short",
            "1234567",
            "password",
            "PASSWORD123",
            "qwertyuiop",
            "zzzzzzzzzzzz",
            "Ada Lovelace",
            "countess",
            &longest,
        ] {
            assert!(check(bad, "ada lovelace", "countess@example.org").is_err(), "{bad:.20}");
        }
        for good in ["correct horse", "a-Bell-4-ada", "пароль-и-звон", "🔔🔔🐕🔔🔔🔔🔔🔔"]
        {
            assert_eq!(check(good, "ada lovelace", ""), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_list_holds_nothing_that_is_refused_anyway() {
        assert!(COMMON.len() >= 500);
        for word in COMMON.iter() {
            assert!(word.chars().count() >= SHORTEST && **word == word.to_lowercase(), "{word}");
        }
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let hasher = Hasher::default();
        let hash = hasher.hash("a bell rings".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.fits("a bell rings".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.fits("a bell ring".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.fits("a bell rings".to_owned(), None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_can_be_read_so_that_its_work_is_done() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(NOBODY).unwrap();
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), 32);
    }
}
