//! How much may be written.

use std::time::Duration;

use bellwire_site::Budget;
use bellwire_site::bellwire::rate::Quota;

const PERIOD: Duration = Duration::from_secs(5 * 60);
const STRANGERS: Quota = Quota::at_most(10, PERIOD);
/// More than anybody types, so it stops nothing but a script.
const PEOPLE: Quota = Quota::at_most(100, PERIOD);
/// The comments that are written.
pub(crate) const COMMENTS: Budget = Budget::new("blog.comments", STRANGERS).people(PEOPLE);
