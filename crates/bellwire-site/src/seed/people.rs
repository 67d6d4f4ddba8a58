//! The demo people: fictional names from many countries.

use bellwire_auth::Person;

/// The names and e-mail addresses of the demo people. The addresses identify them when seeding runs
/// again; example.org is reserved and receives no mail.
pub const PEOPLE: [(&str, &str); 13] = [
    ("Amara Okafor", "amara.okafor@example.org"),
    ("Jonas Lindqvist", "jonas.lindqvist@example.org"),
    ("林雨桐", "lin.yutong@example.org"),
    ("Leïla Benhaddou", "leila.benhaddou@example.org"),
    ("Tomás Quiroga", "tomas.quiroga@example.org"),
    ("Олена Ткачук", "olena.tkachuk@example.org"),
    ("Kwame Boateng", "kwame.boateng@example.org"),
    ("森田はるか", "haruka.morita@example.org"),
    ("Νίκος Παπαδάκης", "nikos.papadakis@example.org"),
    ("Freya Macdonald", "freya.macdonald@example.org"),
    ("يوسف الحداد", "yusuf.alhaddad@example.org"),
    ("अनन्या कुलकर्णी", "ananya.kulkarni@example.org"),
    ("Mateus Vasconcelos", "mateus.vasconcelos@example.org"),
];

/// Whether this account is one of the demo people.
pub fn is_seeded(person: &Person) -> bool {
    let email = person.email.as_deref();
    PEOPLE.iter().any(|(_, theirs)| email == Some(*theirs))
}
