//! The bound of request bodies.

/// The longest body of a request, in bytes, where a route does not say otherwise. A longer one is
/// refused with 413.
pub(crate) const BODY: usize = 256 * 1024;
