//! Hashes of passwords.

use std::collections::hash_map::{Entry, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use super::strength::LONGEST;
use crate::SiteError;

/// What Argon2id costs: 19 MiB and two passes (OWASP's choice), about 30 ms.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Passwords that may wait to be hashed. The next one is refused with 503, and the person tries
/// again.
const WAITING: usize = 64;

/// Checked when there is no such account, so that it takes as long as when there is one. No
/// password fits it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$QUFBQUFBQUFBQUFBQUFBQQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Of those, how many may come from one address.
const WAITING_FROM_ONE: usize = 8;

/// Hashes off the event loop, a bounded number at a time.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// How many wait or work for each address.
    places: Arc<Mutex<HashMap<IpAddr, usize>>>,
    /// The memory of those that are done, for the next: the system's allocator would keep a piece
    /// for every thread.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

/// The right of an address to one more hash.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = lock(&self.places);
        if let Entry::Occupied(mut taken) = places.entry(self.address) {
            *taken.get_mut() -= 1;
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Hasher {
    /// Half of the processors, so that pages are served meanwhile.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = Arc::new(Semaphore::new((processors / 2).max(1)));
        let (places, memory) = Default::default();
        Self { at_once, waiting: Arc::new(Semaphore::new(WAITING)), places, memory }
    }
}

impl Hasher {
    /// A place for one hash, kept as long as it is waited for. One address cannot take them all.
    pub(super) fn place(&self, address: IpAddr) -> Result<Place, SiteError> {
        let mut places = lock(&self.places);
        let taken = places.entry(address).or_default();
        if *taken >= WAITING_FROM_ONE {
            return Err(SiteError::Busy);
        }
        *taken += 1;
        Ok(Place { places: self.places.clone(), address })
    }

    /// The hash to keep of a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, SiteError> {
        let salt = Salt::generate();
        let hash = move |memory: &mut Vec<Block>| {
            let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
            let hash =
                output(&params, password.as_bytes(), &salt, Params::DEFAULT_OUTPUT_LEN, memory)?;
            let (algorithm, version) = (Algorithm::Argon2id.ident(), Some(Version::V0x13.into()));
            let params = ParamsString::try_from(&params)?;
            let (salt, hash) = (Some(salt), Some(hash));
            Ok::<_, password_hash::Error>(
                PasswordHash { algorithm, version, params, salt, hash }.to_string(),
            )
        };
        self.work(hash).await?.map_err(|error| SiteError::internal(error.to_string()))
    }

    /// Whether a password fits a hash. Without one the work is the same, and the answer is no.
    pub(super) async fn fits(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, SiteError> {
        if password.len() > LONGEST {
            return Ok(false); // nobody has such a one
        }
        let (somebody, hash) = (hash.is_some(), hash.unwrap_or_else(|| NOBODY.to_owned()));
        let verify =
            move |memory: &mut Vec<Block>| fits(password.as_bytes(), &hash, memory) == Some(true);
        Ok(self.work(verify).await? && somebody)
    }

    /// Does other slow work with a password, in the same bounds.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SiteError> {
        self.work(|_| work()).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, SiteError> {
        let _place = self.waiting.try_acquire().map_err(|_| SiteError::Busy)?;
        let turn = self.at_once.clone().acquire_owned().await.map_err(SiteError::internal)?;
        let idle = self.memory.clone();
        let work = move || {
            let mut memory = lock(&idle).pop().unwrap_or_default();
            let done = work(&mut memory);
            lock(&idle).push(memory); // never more than work at once
            drop(turn); // here, because the work goes on when whoever asked for it has gone
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(SiteError::internal)
    }
}

/// Whether a password fits a hash; nothing when the hash is none of ours.
fn fits(password: &[u8], hash: &str, memory: &mut Vec<Block>) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let ours = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into());
    let (salt, kept) = (hash.salt?, hash.hash.filter(|_| ours)?);
    let found = output(&Params::try_from(&hash).ok()?, password, &salt, kept.len(), memory).ok()?;
    Some(found == kept) // in constant time
}

fn output(
    params: &Params,
    password: &[u8],
    salt: &[u8],
    length: usize,
    memory: &mut Vec<Block>,
) -> password_hash::Result<Output> {
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password, salt, bytes, memory)?;
    Ok(Output::new(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let hasher = Hasher::default();
        let hash = hasher.hash("a bell rings".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.fits("a bell rings".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.fits("a bell ring".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.fits("a bell rings".to_owned(), None).await.unwrap());
        assert!(!hasher.fits("x".repeat(LONGEST + 1), None).await.unwrap());
    }

    #[tokio::test]
    async fn memory_that_was_used_before_changes_nothing_and_is_used_again() {
        use argon2::password_hash::{PasswordHasher, PasswordVerifier};
        let hasher = Hasher::default();
        for password in ["one bell", "two bells", "three bells"] {
            let hash = hasher.hash(password.to_owned()).await.unwrap();
            assert_eq!(
                Argon2::default().verify_password(password.as_bytes(), hash.as_str()),
                Ok(())
            );
            let theirs = Argon2::default().hash_password(password.as_bytes()).unwrap().to_string();
            assert!(hasher.fits(password.to_owned(), Some(theirs)).await.unwrap());
            assert_eq!(lock(&hasher.memory).len(), 1, "one after the other shares one piece");
        }
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let hasher = Hasher::default();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        let places: Vec<_> = (0..WAITING_FROM_ONE).map(|_| hasher.place(one).unwrap()).collect();
        assert!(hasher.place(one).is_err() && hasher.place(other).is_ok());
        drop(places);
        assert!(hasher.place(one).is_ok() && lock(&hasher.places).is_empty());
    }

    #[test]
    fn nobodys_hash_can_be_read_so_that_its_work_is_done() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(NOBODY).unwrap();
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), 32);
    }
}
