//! Two people talk at once, as fast as their pages let them. What is shown is the order and that
//! nothing is lost or doubled; how long it took is printed and asserted nowhere, for that depends
//! on the machine: the figures are `bin/bench`'s.

use bellwire_browser_tests::{Person, Stage};
use serde_json::{Value, json};

const EACH: usize = 50;

/// Notes when each message is in the list, on the clock that all browsers of this machine share.
const WATCH: &str = "const list = document.querySelector('#messages-list')
  window.sentAt = {}
  window.seenAt = {}
  new MutationObserver((changes) => {
    const now = performance.timeOrigin + performance.now()
    for (const item of changes.flatMap((change) => [...change.addedNodes])) {
      const text = item.querySelector?.('.message__text')?.textContent.trim()
      if (text) window.seenAt[text] ??= now
    }
  }).observe(list, { childList: true })
  return true";

/// Types and sends one message after the other, each as soon as the box is empty again. Who has a
/// partner waits before the second half until something of theirs is there: so they talk at the
/// same time, whichever browser is the faster.
const SEND: &str = "return (async ([name, first, count, partner]) => {
    const form = document.querySelector('#composer'), box = form.querySelector('#message')
    const isHeard = () => Object.keys(window.seenAt).some((text) => text.startsWith(partner))
    for (let number = first; number < first + count; number++) {
      const text = `${name} ${number}`
      if (partner && number === first + count / 2) {
        while (!isHeard()) await new Promise((then) => setTimeout(then, 1))
      }
      while (box.value !== '') await new Promise((then) => setTimeout(then, 1))
      box.value = text
      box.dispatchEvent(new Event('input', { bubbles: true }))
      window.sentAt[text] = performance.timeOrigin + performance.now()
      form.requestSubmit()
    }
    return true
  })(arguments)";

async fn sends(person: &Person, first: usize, count: usize, partner: Option<&Person>) {
    let partner = partner.map(Person::name);
    let sent =
        person.ask(SEND, &[json!(person.name()), json!(first), json!(count), json!(partner)]).await;
    assert_eq!(sent, json!(true), "{} could not send", person.name());
}

/// Waits until as many messages are in the list.
async fn has(person: &Person, count: usize) {
    let script = "return document.querySelectorAll('#messages-list > li[id^=\"message--\"]').length >= arguments[0]";
    person.until(&format!("had {count} messages"), script, &[json!(count)]).await;
}

/// From the moment one pressed "Send" to the one in which it was in the other's list, in
/// milliseconds, sorted.
async fn delays(from: &Person, to: &Person) -> Vec<f64> {
    let (sent, seen) =
        (from.ask("return window.sentAt", &[]).await, to.ask("return window.seenAt", &[]).await);
    let delay = |(text, at): (&String, &Value)| {
        seen[text].as_f64().zip(at.as_f64()).map(|(seen, at)| seen - at)
    };
    let mut delays: Vec<f64> =
        sent.as_object().expect("what was sent").iter().filter_map(delay).collect();
    delays.sort_by(f64::total_cmp);
    delays
}

fn report(what: &str, delays: &[f64]) {
    let at = |share: usize| delays[(delays.len() - 1) * share / 100];
    eprintln!(
        "{what}: median {:.0} ms, 95 % within {:.0} ms, the slowest {:.0} ms",
        at(50),
        at(95),
        at(100)
    );
}

#[tokio::test]
async fn a_hundred_messages_sent_at_once_have_one_order_for_both_and_each_is_there_once() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("hi").await;
        person.is_connected().await;
        person.until("could be watched", WATCH, &[]).await;
    }
    // One by one first, so that nothing waits for anything else.
    for number in 0..10 {
        sends(&ada, number, 1, None).await;
        has(&ben, number + 1).await;
        has(&ada, number + 1).await;
    }
    let calm = delays(&ada, &ben).await;
    assert_eq!(calm.len(), 10);

    for person in [&ada, &ben] {
        person.ask("window.sentAt = {}; window.seenAt = {}", &[]).await;
    }
    tokio::join!(sends(&ada, 100, EACH, Some(&ben)), sends(&ben, 100, EACH, Some(&ada)));
    for person in [&ada, &ben] {
        has(person, 10 + 2 * EACH).await;
        person.is_up_to_date().await;
    }
    let (adas, bens) = (ada.normal_messages().await, ben.normal_messages().await);
    assert_eq!(adas.len(), 10 + 2 * EACH, "each is there once");
    assert_eq!(adas, bens, "both see the same, in the same order");
    for name in ["Ada", "Ben"] {
        let said: Vec<_> = adas
            .iter()
            .filter_map(|m| m["source"].as_str())
            .filter(|s| s.starts_with(name))
            .collect();
        let expected: Vec<_> = (0..10)
            .filter(|_| name == "Ada")
            .chain(100..100 + EACH)
            .map(|n| format!("{name} {n}"))
            .collect();
        assert_eq!(said, expected, "in the order in which {name} sent them");
    }
    let authors: Vec<_> = adas[10..].iter().map(|message| &message["author"]).collect();
    let turns = authors.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns >= 2, "they were to talk at the same time, and took {turns} turns");

    let (to_ben, to_ada) = (delays(&ada, &ben).await, delays(&ben, &ada).await);
    assert_eq!((to_ben.len(), to_ada.len()), (EACH, EACH), "each was seen arriving");
    report("one message at a time", &calm);
    report("a hundred at once, to Ben", &to_ben);
    report("a hundred at once, to Ada", &to_ada);
}
