//! Password hashing, off the event loop and bounded.

use std::collections::hash_map::{Entry, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use super::strength::LONGEST;
use crate::SiteError;

/// The cost of Argon2id: 19 MiB and two passes (OWASP's recommendation), about 30 ms.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The maximum number of passwords that wait to be hashed. The next one is refused with 503, and
/// the person can try again.
const WAITING: usize = 64;

/// A dummy hash that no password matches. It is verified if there is no such account, so that the
/// answer takes the same time.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$QUFBQUFBQUFBQUFBQUFBQQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The part of [`WAITING`] that one address may use.
const WAITING_PER_ADDRESS: usize = 8;

/// Hashes passwords off the event loop, a bounded number at a time.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The number of hashes that wait or run, per address.
    slots: Arc<Mutex<HashMap<IpAddr, usize>>>,
    /// The memory blocks of finished hashes, for reuse. The system's allocator would keep one per
    /// thread.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

/// A reservation of one hash for an address, released when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = lock(&self.slots);
        if let Entry::Occupied(mut taken) = slots.entry(self.address) {
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
    /// Uses half of the processors, so that the others keep serving pages.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = Arc::new(Semaphore::new((processors / 2).max(1)));
        let (slots, memory) = Default::default();
        Self { at_once, waiting: Arc::new(Semaphore::new(WAITING)), slots, memory }
    }
}

impl Hasher {
    /// Reserves one hash for an address until the returned slot is dropped, so that one address
    /// cannot occupy the whole queue.
    pub(super) fn reserve(&self, address: IpAddr) -> Result<Slot, SiteError> {
        let mut slots = lock(&self.slots);
        let taken = slots.entry(address).or_default();
        if *taken >= WAITING_PER_ADDRESS {
            return Err(SiteError::Busy);
        }
        *taken += 1;
        Ok(Slot { slots: self.slots.clone(), address })
    }

    /// Hashes a password for storage.
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

    /// Whether a password matches a hash. Without a hash the answer is no and takes the same time.
    pub(super) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, SiteError> {
        if password.len() > LONGEST {
            return Ok(false); // no stored password is so long
        }
        let (exists, hash) = (hash.is_some(), hash.unwrap_or_else(|| DUMMY_HASH.to_owned()));
        let verify = move |memory: &mut Vec<Block>| {
            matches(password.as_bytes(), &hash, memory) == Some(true)
        };
        Ok(self.work(verify).await? && exists)
    }

    /// Runs other slow work on a password within the same bounds.
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
        let _queued = self.waiting.try_acquire().map_err(|_| SiteError::Busy)?;
        let permit = self.at_once.clone().acquire_owned().await.map_err(SiteError::internal)?;
        let idle = self.memory.clone();
        let work = move || {
            let mut memory = lock(&idle).pop().unwrap_or_default();
            let done = work(&mut memory);
            lock(&idle).push(memory); // at most one per permit
            drop(permit); // here, because the work continues if the caller is cancelled
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(SiteError::internal)
    }
}

/// Whether a password matches a hash; `None` if the hash has another format or algorithm.
fn matches(password: &[u8], hash: &str, memory: &mut Vec<Block>) -> Option<bool> {
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
    async fn a_password_matches_only_its_own_hash() {
        let hasher = Hasher::default();
        let hash = hasher.hash("a bell rings".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("a bell rings".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("a bell ring".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("a bell rings".to_owned(), None).await.unwrap());
        assert!(!hasher.verify("x".repeat(LONGEST + 1), None).await.unwrap());
    }

    #[tokio::test]
    async fn reused_memory_does_not_change_a_hash() {
        use argon2::password_hash::{PasswordHasher, PasswordVerifier};
        let hasher = Hasher::default();
        for password in ["one bell", "two bells", "three bells"] {
            let hash = hasher.hash(password.to_owned()).await.unwrap();
            assert_eq!(
                Argon2::default().verify_password(password.as_bytes(), hash.as_str()),
                Ok(())
            );
            let reference =
                Argon2::default().hash_password(password.as_bytes()).unwrap().to_string();
            assert!(hasher.verify(password.to_owned(), Some(reference)).await.unwrap());
            assert_eq!(
                lock(&hasher.memory).len(),
                1,
                "sequential hashes share one block of memory"
            );
        }
    }

    #[test]
    fn one_address_cannot_occupy_the_whole_queue() {
        let hasher = Hasher::default();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        let slots: Vec<_> =
            (0..WAITING_PER_ADDRESS).map(|_| hasher.reserve(one).unwrap()).collect();
        assert!(hasher.reserve(one).is_err() && hasher.reserve(other).is_ok());
        drop(slots);
        assert!(hasher.reserve(one).is_ok() && lock(&hasher.slots).is_empty());
    }

    #[test]
    fn the_dummy_hash_is_valid_so_that_it_costs_the_same_time() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(DUMMY_HASH).unwrap();
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), 32);
    }
}
