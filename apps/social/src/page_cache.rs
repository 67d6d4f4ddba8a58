//! A cache of rendered list pages. After a change each page is read and rendered once, for any
//! number of viewers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bellwire_site::{Paging, SiteState};

use crate::SocialError;
use crate::fragments::{self, List};
use crate::models::{Changes, Message};

/// Messages per page.
pub(crate) const PAGE_SIZE: u64 = 5;

/// The most pages in the cache. At this size it is cleared, and the pages in use are rendered
/// again.
const CAPACITY: usize = 256;

/// The rendered pages, by requested page number.
#[derive(Default)]
pub(crate) struct PageCache {
    pages: Mutex<HashMap<u64, Arc<Entry>>>,
}

/// A page, with the number of a change that it includes, and perhaps later ones. The first caller
/// that finds it stale renders it again; the other callers wait on the mutex.
#[derive(Default)]
struct Entry(tokio::sync::Mutex<Option<(i64, List)>>);

impl PageCache {
    /// The page with this number, or the last page if there are fewer. It includes the change `seq`
    /// and perhaps later ones.
    pub(crate) async fn list(site: &SiteState, page: u64, seq: i64) -> Result<List, SocialError> {
        let entry = site.own::<Self>().entry(page);
        let mut cached = entry.0.lock().await;
        match &*cached {
            Some((seen, list)) if *seen >= seq => Ok(list.clone()),
            _ => {
                let (seen, list) = read(site, page).await?;
                *cached = Some((seen, list.clone()));
                Ok(list)
            }
        }
    }

    fn entry(&self, page: u64) -> Arc<Entry> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= CAPACITY && !pages.contains_key(&page) {
            pages.clear();
        }
        pages.entry(page).or_default().clone()
    }
}

/// Reads the change number before the page: the page may be newer than its number, never older.
async fn read(site: &SiteState, page: u64) -> Result<(i64, List), SocialError> {
    let db = site.db().read();
    let seen = Changes::current(db).await?;
    let paging = Paging::of(page, Message::count(db).await?, PAGE_SIZE);
    let messages = Message::newest(db, paging.skipped(), PAGE_SIZE).await?;
    tracing::trace!(page, seen, "Rendered a page");
    Ok((seen, List { html: fragments::list(&messages, paging, page, None)?, paging }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_cache_is_bounded() {
        let cache = PageCache::default();
        for page in 1..=3 * CAPACITY as u64 {
            cache.entry(page);
        }
        assert!(cache.pages.lock().unwrap().len() <= CAPACITY);
    }
}
