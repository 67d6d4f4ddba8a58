//! Tests of the settings and their errors.

use std::path::PathBuf;

use bellwire_site::{DatabaseUrl, Settings, SettingsError, SignUp};

fn refused(name: &str, value: &str) -> SettingsError {
    let parsed = Settings::parse([(name, value)]);
    parsed.expect_err(&format!("{name}={value} should be refused"))
}

#[test]
fn without_any_setting_a_site_starts_on_sqlite_at_port_8000() {
    let settings = Settings::parse::<&str, &str>([]).unwrap();
    assert_eq!(settings.bind.to_string(), "127.0.0.1:8000");
    assert_eq!(settings.database, DatabaseUrl::Sqlite(PathBuf::from("./data/bellwire.db")));
    assert_eq!(settings.sign_up, SignUp::Open);
    assert!(
        settings.url.is_none() && settings.trusted_proxies.is_empty() && settings.assets.is_empty()
    );
}

#[test]
fn every_setting_is_parsed() {
    let folder = std::env::temp_dir().display().to_string();
    let settings = Settings::parse([
        ("BELLWIRE_BIND", "[::]:80"),
        ("BELLWIRE_URL", "https://chat.example/"),
        ("BELLWIRE_ORIGINS", "https://app.example, http://localhost:3000"),
        ("BELLWIRE_NATIVE_CLIENTS", "false"),
        ("BELLWIRE_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8,::1"),
        ("BELLWIRE_CONNECTIONS", "5"),
        ("BELLWIRE_DATA", "/var/lib/bellwire"),
        ("BELLWIRE_SIGNUP", "closed"),
        ("BELLWIRE_ASSETS", &folder),
        ("BELLWIRE_LOG", "warn,bellwire_site=debug"),
        ("BELLWIRE_TEST_RUN", "anything"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(settings.bind.port(), 80);
    assert_eq!(settings.url.unwrap().as_str(), "https://chat.example/");
    assert_eq!(settings.origins, ["https://app.example", "http://localhost:3000"]);
    assert!(!settings.native_clients);
    assert_eq!(settings.trusted_proxies.len(), 3);
    assert_eq!(settings.serve.connections, 5);
    assert_eq!(
        settings.database,
        DatabaseUrl::Sqlite(PathBuf::from("/var/lib/bellwire/bellwire.db"))
    );
    assert_eq!(settings.sign_up, SignUp::Closed);
    assert_eq!(settings.assets, [std::env::temp_dir()]);
}

#[test]
fn an_empty_value_counts_as_unset() {
    assert!(
        Settings::parse([
            ("BELLWIRE_URL", ""),
            ("DATABASE_URL", ""),
            ("REDIS_URL", " "),
            ("BELLWIRE_BIND", "")
        ])
        .is_ok()
    );
}

#[test]
fn the_database_url_selects_the_database() {
    for (url, expected) in [
        ("sqlite:site.db", DatabaseUrl::Sqlite(PathBuf::from("site.db"))),
        ("sqlite:///var/site.db", DatabaseUrl::Sqlite(PathBuf::from("/var/site.db"))),
        ("postgres://me@db/site", DatabaseUrl::Postgres("postgres://me@db/site".into())),
        ("postgresql://me@db/site", DatabaseUrl::Postgres("postgresql://me@db/site".into())),
        ("sqlite://site.db?mode=rwc", DatabaseUrl::Sqlite(PathBuf::from("site.db"))),
    ] {
        assert_eq!(Settings::parse([("DATABASE_URL", url)]).unwrap().database, expected);
    }
}

#[test]
fn an_invalid_setting_is_named_with_the_expected_value() {
    for (name, value, expected) in [
        ("BELLWIRE_BIND", "8000", "an IP address and a port"),
        ("BELLWIRE_BIND", "localhost:8000", "an IP address and a port"),
        ("BELLWIRE_URL", "chat.example", "https://"),
        ("BELLWIRE_URL", "ftp://chat.example", "https://"),
        ("BELLWIRE_URL", "https://chat.example/chat/", "without a path"),
        ("BELLWIRE_ORIGINS", "https://a.example,nonsense", "separated by commas"),
        ("BELLWIRE_NATIVE_CLIENTS", "yes", "true or false"),
        ("BELLWIRE_TRUSTED_PROXIES", "proxy.local", "IP addresses or networks"),
        ("BELLWIRE_CONNECTIONS", "0", "a whole number from 1 to 1000000"),
        ("BELLWIRE_CONNECTIONS", "many", "a whole number from 1 to 1000000"),
        ("BELLWIRE_IDLE_SECONDS", "1.5", "a whole number from 1 to 3600"),
        ("BELLWIRE_IDLE_SECONDS", "25", "more than the 25 seconds of BELLWIRE_PING_SECONDS"),
        ("BELLWIRE_QUEUE_BYTES", "2048", "at least the 65536 bytes of BELLWIRE_MESSAGE_BYTES"),
        ("BELLWIRE_MESSAGE_BYTES", "-1", "a whole number from 1024 to 67108864"),
        ("BELLWIRE_SIGNUP", "yes", "open, invite or closed"),
        ("BELLWIRE_ASSETS", "/no/such/folder", "folders that exist"),
        ("BELLWIRE_LOG", "bellwire=loud", "levels such as"),
        ("BELLWIRE_BNID", "127.0.0.1:8000", "BELLWIRE_BIND"),
        ("DATABASE_URL", "mysql://db/site", "postgres://"),
        ("DATABASE_URL", "sqlite::memory:", "sqlite:path"),
        ("DATABASE_URL", "sqlite://site.db?mode=ro", "without parameters"),
        ("REDIS_URL", "redis://127.0.0.1", "one process"),
    ] {
        let error = refused(name, value);
        let (text, expected) = (error.to_string(), expected.to_owned());
        assert!(text.starts_with(&format!("{name}={value}")) && text.contains(&expected), "{text}");
    }
}

#[test]
fn a_password_is_never_shown() {
    for (name, value) in [
        ("REDIS_URL", "redis://:secret@db"),
        ("DATABASE_URL", "mysql://me:secret@db/site"),
        ("DATABASE_URL", "mysql://db/site?user=me&password=secret"),
        ("DATABASE_URL", "mysql://db/site?sslPassWord=secret"),
        ("DATABASE_URL", "mysql://me:12/secret@db/site"),
        ("DATABASE_URL", "password=secret host=db"),
        ("BELLWIRE_URL", "https://me:secret@chat.example"),
        ("BELLWIRE_URL", "https://secret@chat.example"),
        ("BELLWIRE_ORIGINS", "https://a.example,https://me:secret@chat.example"),
    ] {
        let text = refused(name, value).to_string();
        assert!(!text.contains("secret") && text.contains('…'), "{text}");
    }
    for url in
        ["postgres://me:secret@db/site", "postgres://me@db/site?password=secret&sslmode=require"]
    {
        let settings = Settings::parse([("DATABASE_URL", url)]).unwrap();
        let text = format!("{settings:?}");
        assert!(!text.contains("secret") && text.contains("postgres://me"), "{text}");
    }
}

/// The variables and their defaults in docs/settings.md.
fn documented() -> Vec<(String, String)> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md"))
            .unwrap();
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let rows = text.lines().filter(|line| line.starts_with("| `BELLWIRE_"));
    rows.map(|line| line.split('|').skip(1).map(cell).collect::<Vec<_>>())
        .map(|cells| (cells[0].clone(), cells[1].clone()))
        .collect()
}

#[test]
fn the_documentation_lists_every_setting_and_no_other() {
    let expected = refused("BELLWIRE_X", "1").expected;
    let mut known: Vec<_> =
        expected.split(": ").nth(1).unwrap().split(", ").map(str::to_owned).collect();
    let mut read: Vec<_> = documented().into_iter().map(|(name, _)| name).collect();
    known.sort();
    read.sort();
    assert_eq!(known, read);
}

#[test]
fn every_number_can_be_set_and_its_default_is_documented() {
    let numbers: Vec<_> =
        documented().into_iter().filter(|(_, default)| default.parse::<u64>().is_ok()).collect();
    assert_eq!(numbers.len(), 19);
    let default = Settings::default();
    let shown = |settings: &Settings| format!("{settings:?}");
    assert_eq!(
        shown(&Settings::parse(numbers.clone()).unwrap()),
        shown(&default),
        "the defaults are the defaults"
    );
    for (name, value) in &numbers {
        let more = (value.parse::<u64>().unwrap() + 1).to_string();
        let changed = Settings::parse([(name, &more)]).unwrap();
        assert_ne!(shown(&changed), shown(&default), "{name} should change something");
    }
    let unlimited = Settings::parse([("BELLWIRE_ACTIONS_PER_SECOND", "0")]).unwrap();
    assert_eq!(unlimited.limits.actions_per_second, None);
}

#[test]
fn the_last_of_two_values_wins() {
    let settings =
        Settings::parse([("BELLWIRE_SIGNUP", "closed"), ("BELLWIRE_SIGNUP", "invite")]).unwrap();
    assert_eq!(settings.sign_up, SignUp::Invite);
}

/// Runs this test again, with a variable in its environment.
#[test]
fn only_from_environment_reads_the_environment_of_the_process() {
    const NAME: &str = "settings::only_from_environment_reads_the_environment_of_the_process";
    let port = |settings: Settings| settings.bind.port();
    if std::env::var("BELLWIRE_BIND").is_ok_and(|value| value == "127.0.0.1:81") {
        assert_eq!(port(Settings::from_environment().unwrap()), 81);
        assert_eq!(port(Settings::default()), 8000);
        return;
    }
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    let output =
        again.args(["--exact", NAME]).env("BELLWIRE_BIND", "127.0.0.1:81").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
