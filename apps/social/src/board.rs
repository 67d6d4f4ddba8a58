//! The pages of the list as everyone sees them: read and rendered once after a change, however many
//! look at them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bellwire_site::bellwire::Html;
use bellwire_site::{Paging, SiteState};

use crate::models::{Changes, Message};
use crate::{SocialError, fragments};

/// How many messages a page has.
pub(crate) const PAGE: u64 = 5;

/// How many pages are kept at most. Beyond it all are forgotten, and those that somebody looks at
/// are rendered once more.
const KEPT: usize = 256;

/// A page of the list.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) html: Html,
    pub(crate) paging: Paging,
}

/// The pages that are kept, by the number that was asked for.
#[derive(Default)]
pub(crate) struct Board {
    pages: Mutex<HashMap<u64, Arc<Place>>>,
}

/// A page and the number of the change that it has seen at least. Whoever finds it too old reads it
/// while the others wait.
#[derive(Default)]
struct Place(tokio::sync::Mutex<Option<(i64, List)>>);

impl Board {
    /// The page with this number, or the last if there are not so many, as it is after the change
    /// `seq` or a later one.
    pub(crate) async fn list(site: &SiteState, page: u64, seq: i64) -> Result<List, SocialError> {
        let place = site.own::<Self>().place(page);
        let mut kept = place.0.lock().await;
        match &*kept {
            Some((seen, list)) if *seen >= seq => Ok(list.clone()),
            _ => {
                let (seen, list) = read(site, page).await?;
                *kept = Some((seen, list.clone()));
                Ok(list)
            }
        }
    }

    fn place(&self, page: u64) -> Arc<Place> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= KEPT && !pages.contains_key(&page) {
            pages.clear();
        }
        pages.entry(page).or_default().clone()
    }
}

/// First the number, then the page: it may be newer than its number says, never older.
async fn read(site: &SiteState, page: u64) -> Result<(i64, List), SocialError> {
    let db = site.db().read();
    let seen = Changes::current(db).await?;
    let paging = Paging::of(page, Message::count(db).await?, PAGE);
    let messages = Message::newest(db, paging.skipped(), PAGE).await?;
    tracing::trace!(page, seen, "Rendered a page");
    Ok((seen, List { html: fragments::list(&messages, paging, page, None)?, paging }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let board = Board::default();
        for page in 1..=3 * KEPT as u64 {
            board.place(page);
        }
        assert!(board.pages.lock().unwrap().len() <= KEPT);
    }
}
