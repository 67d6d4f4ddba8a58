//! A long list, a page at a time.

/// Which page of a list is shown, of how many. Pages are numbered from 1, and there is always one.
///
/// ```
/// use bellwire_web::Paging;
/// let paging = Paging::of(2, 12, 5);                                  // page 2 of twelve things, five a page
/// assert_eq!((paging.page(), paging.pages(), paging.skipped()), (2, 3, 5));
/// assert_eq!((paging.previous(), paging.next()), (Some(1), Some(3)));
/// assert_eq!(Paging::of(9, 12, 5).page(), 3);                         // beyond the end is the end
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    page: u64,
    pages: u64,
    size: u64,
}

impl Paging {
    /// The page that was asked for, or the nearest that there is, of so many things.
    pub fn of(asked: u64, things: u64, size: u64) -> Self {
        let size = size.max(1);
        let pages = things.div_ceil(size).max(1);
        Self { page: asked.clamp(1, pages), pages, size }
    }

    /// The page that is shown.
    pub fn page(&self) -> u64 {
        self.page
    }

    /// How many there are.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// How many things come before it.
    pub fn skipped(&self) -> u64 {
        (self.page - 1) * self.size
    }

    /// The page before.
    pub fn previous(&self) -> Option<u64> {
        (self.page > 1).then(|| self.page - 1)
    }

    /// The page after.
    pub fn next(&self) -> Option<u64> {
        (self.page < self.pages).then(|| self.page + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_page_and_it_is_always_among_them() {
        for (asked, things, expected) in [
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
            let paging = Paging::of(asked, things, 5);
            assert_eq!(
                (paging.page(), paging.pages(), paging.skipped()),
                expected,
                "{asked} of {things}"
            );
        }
        assert_eq!((Paging::of(1, 5, 5).previous(), Paging::of(1, 5, 5).next()), (None, None));
    }
}
