//! Table of allowed imports between the workspace's crates.

/// Each crate, and the crates that it may import. Other crates and imports are refused.
pub const TABLE: &[(&str, &[&str])] = &[
    ("bellwire-macros", &[]),
    ("bellwire", &["bellwire-macros"]),
    ("bellwire-redis", &["bellwire"]),
    ("bellwire-postgres", &["bellwire"]),
    ("bellwire-db", &["bellwire"]),
    ("bellwire-markup", &["bellwire"]),
    ("bellwire-jobs", &["bellwire-db"]),
    ("bellwire-web", &["bellwire", "bellwire-db", "bellwire-markup"]),
    ("bellwire-mail", &["bellwire-jobs", "bellwire-web"]),
    ("bellwire-media", &["bellwire-jobs", "bellwire-web"]),
    ("bellwire-auth", &["bellwire-web", "bellwire-mail"]),
    ("bellwire-cache", &["bellwire", "bellwire-db", "bellwire-web"]),
    ("bellwire-api", &["bellwire-auth", "bellwire-cache"]),
    ("bellwire-admin", &["bellwire-auth", "bellwire-cache", "bellwire-media"]),
    ("bellwire-site", SITE),
    ("bellwire-testkit", &["bellwire-site"]),
    ("bellwire-home", APP),
    ("bellwire-chat", APP),
    ("bellwire-blog", APP),
    ("bellwire-social", APP),
    ("bellwire-courses", APP),
    ("bellwire-playground", APP),
    ("bellwire-server", SERVER),
    // Outside of the product: tests, benchmarks, tutorial. No crate imports them.
    ("bellwire-races", &[]),
    ("bellwire-structure", &[]),
    ("bellwire-browser-tests", &["bellwire-testkit"]),
    ("bellwire-processes-tests", &["bellwire-testkit"]),
    ("bellwire-security-tests", &["bellwire-testkit"]),
    ("bellwire-bench", &["bellwire"]),
    ("bellwire-tutorial", &["bellwire", "bellwire-site"]),
    ("auction", &["bellwire"]),
];

/// The site re-exports all crates that an app needs, so that an app has one dependency.
const SITE: &[&str] = &[
    "bellwire",
    "bellwire-db",
    "bellwire-markup",
    "bellwire-jobs",
    "bellwire-web",
    "bellwire-mail",
    "bellwire-media",
    "bellwire-auth",
    "bellwire-cache",
    "bellwire-api",
    "bellwire-admin",
];

const APP: &[&str] = &["bellwire-site"];

const SERVER: &[&str] = &[
    "bellwire-site",
    "bellwire-redis",
    "bellwire-postgres",
    "bellwire-home",
    "bellwire-chat",
    "bellwire-blog",
    "bellwire-social",
    "bellwire-courses",
    "bellwire-playground",
];

/// Temporary exceptions from the table. The list may only shrink.
pub const TEMPORARY: &[(&str, &str)] = &[];

/// The imports that the table allows a crate. `None` if the crate is not in the table.
pub fn row(name: &str) -> Option<&'static [&'static str]> {
    TABLE.iter().find(|(row, _)| *row == name).map(|(_, may)| *may)
}

/// Whether a crate may import another.
pub fn allows(from: &str, to: &str) -> bool {
    row(from).is_some_and(|may| may.contains(&to)) || TEMPORARY.contains(&(from, to))
}
