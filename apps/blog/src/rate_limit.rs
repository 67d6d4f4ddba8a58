//! The rate limit for comments.

use std::time::Duration;

use bellwire_site::Budget;
use bellwire_site::bellwire::rate::Quota;

const PERIOD: Duration = Duration::from_secs(5 * 60);
/// Per address, for anonymous visitors.
const STRANGERS: Quota = Quota::at_most(10, PERIOD);
/// Per user: more than a person can type, so it stops scripts only.
const PEOPLE: Quota = Quota::at_most(100, PERIOD);
/// The budget for adding comments.
pub(crate) const COMMENTS: Budget = Budget::new("blog.comments", STRANGERS).people(PEOPLE);
