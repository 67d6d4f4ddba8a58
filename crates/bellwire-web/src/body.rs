//! The size limit of request bodies.

/// The maximum size of a request body in bytes, unless a route sets another. A larger body is
/// refused with 413.
pub(crate) const BODY: usize = 256 * 1024;
