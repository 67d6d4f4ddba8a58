//! Who is made: names from many places, which are nobody's in particular.

use bellwire_auth::Person;

/// Their names, and their e-mail addresses, by which they are known again. Nobody gets mail at
/// example.org.
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

/// Whether this is one of those who exist nowhere else.
pub fn is_seeded(person: &Person) -> bool {
    let email = person.email.as_deref();
    PEOPLE.iter().any(|(_, theirs)| email == Some(*theirs))
}
