//! Rate limiters as plain types without clock, lock or task. The caller passes the time.
//!
//! ```
//! use bellwire::rate::{Decision, KeyedRateLimiter, Quota};
//! use std::time::{Duration, Instant};
//!
//! const POSTS: Quota = Quota::at_most(2, Duration::from_secs(60));
//!
//! let mut posts = KeyedRateLimiter::new(POSTS);
//! let now = Instant::now();
//! assert_eq!(posts.take(&"ada", now), Decision::Allow);
//! assert_eq!(posts.take(&"ada", now), Decision::Allow);
//! let retry_after = Duration::from_secs(60);
//! assert_eq!(posts.take(&"ada", now), Decision::Throttle { retry_after });
//! assert_eq!(posts.take(&"grace", now), Decision::Allow);
//! ```

mod keyed;
mod limiter;
mod network;
mod quota;

pub use keyed::KeyedRateLimiter;
pub use limiter::{Decision, RateLimiter};
pub use network::network;
pub use quota::Quota;
