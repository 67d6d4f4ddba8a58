//! Pagination of lists.

/// The current page of a list and the number of pages. Pages are numbered from 1, and there is at
/// least one.
///
/// ```
/// use bellwire_web::Paging;
/// let paging = Paging::of(2, 12, 5); // page 2 of 12 items, 5 per page
/// assert_eq!((paging.page(), paging.pages(), paging.skipped()), (2, 3, 5));
/// assert_eq!((paging.previous(), paging.next()), (Some(1), Some(3)));
/// assert_eq!(Paging::of(9, 12, 5).page(), 3); // clamped to the last page
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    page: u64,
    pages: u64,
    size: u64,
}

impl Paging {
    /// Returns the requested page of `items` items at `size` items per page, or the nearest page.
    pub fn of(requested: u64, items: u64, size: u64) -> Self {
        let size = size.max(1);
        let pages = items.div_ceil(size).max(1);
        Self { page: requested.clamp(1, pages), pages, size }
    }

    /// The current page.
    pub fn page(&self) -> u64 {
        self.page
    }

    /// The number of pages.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// The number of items before the current page.
    pub fn skipped(&self) -> u64 {
        (self.page - 1) * self.size
    }

    /// The previous page, if any.
    pub fn previous(&self) -> Option<u64> {
        (self.page > 1).then(|| self.page - 1)
    }

    /// The next page, if any.
    pub fn next(&self) -> Option<u64> {
        (self.page < self.pages).then(|| self.page + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_always_within_the_list() {
        for (requested, items, expected) in [
            (1, 0, (1, 1, 0)),
            (0, 7, (1, 2, 0)),
            (2, 5, (1, 1, 0)),
            (2, 6, (2, 2, 5)),
            (3, 15, (3, 3, 10)),
            (
                u64::MAX,
                u64::MAX,
                (u64::MAX.div_ceil(5), u64::MAX.div_ceil(5), u64::MAX / 5 * 5 - 5),
            ),
        ] {
            let paging = Paging::of(requested, items, 5);
            assert_eq!(
                (paging.page(), paging.pages(), paging.skipped()),
                expected,
                "{requested} of {items}"
            );
        }
        assert_eq!((Paging::of(1, 5, 5).previous(), Paging::of(1, 5, 5).next()), (None, None));
    }
}
