//! Message order when two people send concurrently, as fast as their pages allow: no message is
//! lost or duplicated. Delays are printed but not asserted, because they depend on the machine;
//! `bin/bench` measures them.

use bellwire_browser_tests::{Person, Site};
use serde_json::{Value, json};

const EACH: usize = 50;

/// Records when each message appears in the list, with the clock that all browsers of this machine
/// share.
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

/// Sends messages one after another, each once the composer is empty. With a partner, waits before
/// the second half until a message of theirs has arrived, so that both send concurrently even if
/// one browser is faster.
const SEND: &str = "return (async ([name, first, count, partner]) => {
    const form = document.querySelector('#composer'), box = form.querySelector('#message')
    const partnerHasSent = () => Object.keys(window.seenAt).some((text) => text.startsWith(partner))
    for (let number = first; number < first + count; number++) {
      const text = `${name} ${number}`
      if (partner && number === first + count / 2) {
        while (!partnerHasSent()) await new Promise((then) => setTimeout(then, 1))
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
    let sent = person
        .run_script(SEND, &[json!(person.name()), json!(first), json!(count), json!(partner)])
        .await;
    assert_eq!(sent, json!(true), "{} could not send", person.name());
}

/// Waits until this many messages are in the list.
async fn has(person: &Person, count: usize) {
    let script = "return document.querySelectorAll('#messages-list > li[id^=\"message--\"]').length >= arguments[0]";
    person.until(&format!("had {count} messages"), script, &[json!(count)]).await;
}

/// The delays between sending and appearance in the other's list, in milliseconds, sorted.
async fn delays(from: &Person, to: &Person) -> Vec<f64> {
    let (sent, seen) = (
        from.run_script("return window.sentAt", &[]).await,
        to.run_script("return window.seenAt", &[]).await,
    );
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
async fn a_hundred_concurrent_messages_have_the_same_order_for_both_and_appear_once() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("hi").await;
        person.is_connected().await;
        person.until("could be watched", WATCH, &[]).await;
    }
    // First one message at a time, so that none waits for another.
    for number in 0..10 {
        sends(&ada, number, 1, None).await;
        has(&ben, number + 1).await;
        has(&ada, number + 1).await;
    }
    let sequential = delays(&ada, &ben).await;
    assert_eq!(sequential.len(), 10);

    for person in [&ada, &ben] {
        person.run_script("window.sentAt = {}; window.seenAt = {}", &[]).await;
    }
    tokio::join!(sends(&ada, 100, EACH, Some(&ben)), sends(&ben, 100, EACH, Some(&ada)));
    for person in [&ada, &ben] {
        has(person, 10 + 2 * EACH).await;
        person.is_up_to_date().await;
    }
    let (adas, bens) = (ada.normalized_messages().await, ben.normalized_messages().await);
    assert_eq!(adas.len(), 10 + 2 * EACH, "each is displayed once");
    assert_eq!(adas, bens, "both see the same, in the same order");
    for name in ["Ada", "Ben"] {
        let sent: Vec<_> = adas
            .iter()
            .filter_map(|m| m["source"].as_str())
            .filter(|s| s.starts_with(name))
            .collect();
        let expected: Vec<_> = (0..10)
            .filter(|_| name == "Ada")
            .chain(100..100 + EACH)
            .map(|n| format!("{name} {n}"))
            .collect();
        assert_eq!(sent, expected, "in the order in which {name} sent them");
    }
    let authors: Vec<_> = adas[10..].iter().map(|message| &message["author"]).collect();
    let turns = authors.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns >= 2, "they did not send concurrently: the author changed {turns} times");

    let (to_ben, to_ada) = (delays(&ada, &ben).await, delays(&ben, &ada).await);
    assert_eq!((to_ben.len(), to_ada.len()), (EACH, EACH), "each arrival was recorded");
    report("one message at a time", &sequential);
    report("a hundred at once, to Ben", &to_ben);
    report("a hundred at once, to Ada", &to_ada);
}
