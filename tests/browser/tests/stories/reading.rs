//! Who reads finds their place, keeps it, and is not told twice what is new.

use bellwire_browser_tests::{Person, Stage};
use serde_json::{Value, json};

/// Says many things in the room at once, as by a program: `line 1` to `line <count>`.
const SAY_MANY: &str = "return (async (count, word) => {
         for (let n = 1; n <= count; n++) {
             const body = new URLSearchParams({ message: `${word} ${n}`, client_id: `${word}${n}` });
             await fetch(location.pathname, { method: 'POST', body, redirect: 'manual' });
         }
         return true;
     })(...arguments)";

/// Notes which message is the first that can be seen, and where; then goes near the top, where
/// older ones load.
const GO_UP: &str = "const list = document.querySelector('#messages'), top = list.getBoundingClientRect().top;
     list.scrollTop = Math.min(list.scrollTop - 1, 300);
     const seen = [...document.querySelectorAll('.messages .message__text')].find(e => e.getBoundingClientRect().bottom > top);
     window.placeOfTheStory = [seen, seen.getBoundingClientRect().top];
     return true";

/// How far the noted message has moved since.
const MOVED: &str = "const [seen, top] = window.placeOfTheStory;
     return seen.isConnected ? Math.abs(seen.getBoundingClientRect().top - top) : 1e6";

const PLACES: &str =
    "return [...document.querySelectorAll('.messages > li')].map(e => Number(e.dataset.place))";

async fn count(person: &Person, selector: &str) -> u64 {
    let script = "return document.querySelectorAll(arguments[0]).length";
    person.ask(script, &[json!(selector)]).await.as_u64().unwrap_or_default()
}

async fn has_moved_at_most_two_pixels(person: &Person) {
    let moved = person.ask(MOVED, &[]).await.as_f64().unwrap_or(1e6);
    assert!(moved <= 2.0, "what {} was reading moved by {moved} pixels", person.name());
}

/// Ada and Ben in "Garden", which Ben has read to its end and left for "Harbour".
async fn ben_has_been_in_the_garden(stage: &Stage) -> (Person, Person) {
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.says("the first of all").await;
    ada.sees("the first of all").await;
    ben.opens_room("Garden").await;
    ben.is_connected().await;
    ben.has_read("told the server that it was read").await;
    ben.opens_room("Harbour").await;
    ben.is_connected().await;
    (ada, ben)
}

trait Reader {
    async fn has_read(&self, what: &str);
    async fn says_many(&self, count: u32, word: &str);
}

impl Reader for Person {
    /// Asks the server itself: a fresh page shows no message as new.
    async fn has_read(&self, what: &str) {
        let script = "return (async () => {
             const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), 'text/html');
             const room = page.querySelector('.room'), last = page.querySelector('.messages > li:last-child');
             return Number(room.dataset.lastRead) >= Number(last.dataset.place);
         })()";
        self.until(what, script, &[]).await;
    }

    async fn says_many(&self, count: u32, word: &str) {
        self.until("said it all", SAY_MANY, &[json!(count), json!(word)]).await;
    }
}

#[tokio::test]
async fn the_unread_line_stands_above_what_is_new_and_stays_while_it_is_read() {
    let stage = Stage::open().await;
    let (ada, ben) = ben_has_been_in_the_garden(&stage).await;
    ada.says("new to Ben").await;
    ada.sees("new to Ben").await;
    ada.says("this as well").await;
    ada.sees("this as well").await;

    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    let line = "const line = document.querySelector('.message__unread');
                return line && line.parentElement.querySelector('.message__text').textContent";
    assert_eq!(ben.until("saw the line", line, &[]).await, json!("new to Ben"));
    ben.has_read("told the server that it was read").await;
    ada.says("while Ben reads").await;
    ben.sees("while Ben reads").await;
    assert_eq!(ben.ask(line, &[]).await, json!("new to Ben"), "the line stays where it was");
    assert_eq!(count(&ben, ".message__unread").await, 1);
    assert_eq!(count(&ben, ".message__day").await, 1, "one day, one line");
    assert_eq!(count(&ada, ".message__unread").await, 0, "her own words are not new to her");
    let strangers = "return [...document.querySelector('.messages').children].every(e => e.matches('li.message'))";
    assert_eq!(
        ben.ask(strangers, &[]).await,
        json!(true),
        "the list holds messages and nothing else"
    );

    ben.has_read("told the server of the last one").await;
    ben.visit("/chat/garden/").await;
    ben.sees("while Ben reads").await;
    assert_eq!(count(&ben, ".message__unread").await, 0, "everything was read");
}

#[tokio::test]
async fn older_messages_come_when_the_top_is_near_and_what_is_read_stays_in_its_place() {
    let stage = Stage::open().await;
    let (ada, ben) = ben_has_been_in_the_garden(&stage).await;
    ada.says_many(120, "line").await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.has_a_window(1000, 600).await;
    ben.sees("line 120").await;
    let mut known = count(&ben, ".messages > li").await;
    assert_eq!(known, 50);
    while known < 121 {
        ben.ask(GO_UP, &[]).await;
        let more = "return document.querySelectorAll('.messages > li').length > arguments[0]";
        ben.until("got older messages", more, &[json!(known)]).await;
        has_moved_at_most_two_pixels(&ben).await;
        known = count(&ben, ".messages > li").await;
    }
    assert_eq!(
        ben.ask(PLACES, &[]).await,
        json!((1..=121).collect::<Vec<_>>()),
        "all of them, in order, none twice"
    );
    assert_eq!(count(&ben, ".room__older").await, 0, "the room begins here");

    // Far from the end nothing that comes moves the view; it is counted instead.
    ben.ask("document.querySelector('#messages').scrollTop = 900", &[]).await;
    ben.until(
        "was offered the way to the newest",
        "return !document.querySelector('.jump').hidden",
        &[],
    )
    .await;
    let note = "const list = document.querySelector('#messages'), top = list.getBoundingClientRect().top;
         const seen = [...document.querySelectorAll('.message__text')].find(e => e.getBoundingClientRect().bottom > top);
         window.placeOfTheStory = [seen, seen.getBoundingClientRect().top]; return true";
    ben.ask(note, &[]).await;
    ada.says("far below").await;
    ada.says("and another").await;
    ben.sees("and another").await;
    has_moved_at_most_two_pixels(&ben).await;
    ben.reads(".jump__count", "2 new").await;
    ben.presses(".jump").await;
    let at_the_end = "const list = document.querySelector('#messages');
         return list.scrollHeight - list.clientHeight - list.scrollTop < 3 && document.querySelector('.jump').hidden";
    ben.until("was at the newest", at_the_end, &[]).await;
}

#[tokio::test]
async fn a_link_leads_to_the_message_in_the_middle_where_nothing_live_is_mixed_in() {
    let stage = Stage::open().await;
    let (ada, ben) = ben_has_been_in_the_garden(&stage).await;
    ada.says_many(120, "line").await;
    ben.visit("/chat/-/messages/40/").await;
    ben.is_connected().await;
    let middle = "const list = document.querySelector('#messages').getBoundingClientRect();
         const found = document.querySelector('.message--found')?.getBoundingClientRect();
         if (!found) return false;
         const at = (found.top + found.height / 2 - list.top) / list.height;
         return at > .3 && at < .7 && document.querySelector('.message--found').id";
    assert_eq!(ben.until("saw it in the middle", middle, &[]).await, json!("message--40"));
    let before = ben.ask(PLACES, &[]).await;
    ada.says("far from there").await;
    ada.sees("far from there").await;
    // What comes to this page comes by the same socket: were the message here, it would stand
    // before the typing.
    ada.types("#message", "still").await;
    ben.until(
        "saw Ada type",
        "return document.querySelector('#typing').innerText.includes('Ada')",
        &[],
    )
    .await;
    assert_eq!(ben.ask(PLACES, &[]).await, before);

    ben.says("said from the middle").await;
    ben.sees("said from the middle").await;
    ben.sees("far from there").await;
    ada.sees("said from the middle").await;
}

#[tokio::test]
async fn reading_in_one_tab_clears_the_other_and_marking_unread_does_the_opposite() {
    let stage = Stage::open().await;
    let (ada, ben) = ben_has_been_in_the_garden(&stage).await;
    ada.says("unread in both tabs").await;
    let first = ben.tab();
    let unread =
        "const link = [...document.querySelectorAll('.link')].find(e => e.textContent.includes('Garden'));
         const place = name => Number(link?.querySelector(`[id^=${name}--]`).dataset.seq);
         return place('newest') > place('read')";
    ben.until("heard of something new in the garden", unread, &[]).await;

    let second = ben.opens_tab().await;
    ben.looks_at(&second).await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.sees("unread in both tabs").await;
    // A new tab opens behind: a person looks at it by a click.
    ben.presses("#message").await;
    let looks = ben.ask("return [document.hasFocus(), document.visibilityState]", &[]).await;
    assert_eq!(looks, json!([true, "visible"]), "this tab is looked at");
    ben.has_read("told the server that it was read").await;
    ben.looks_at(&first).await;
    ben.until("was cleared by the other tab", &format!("return !(() => {{ {unread} }})()"), &[])
        .await;

    ben.looks_at(&second).await;
    ben.ask(
        "document.querySelector('.messages > li:last-child .message__link').focus({ focusVisible: true })",
        &[],
    )
    .await;
    ben.presses("[data-tool=unread]").await;
    ben.reads(".tools__words", "Marked unread").await;
    ben.looks_at(&first).await;
    ben.until("saw it unread again", unread, &[]).await;
    assert_ne!(ben.ask(unread, &[]).await, Value::Null);
}

#[tokio::test]
async fn more_unread_than_a_page_shows_is_said_with_a_way_to_the_first_of_it_and_no_line_stands_elsewhere()
 {
    let stage = Stage::open().await;
    let (ada, ben) = ben_has_been_in_the_garden(&stage).await;
    ada.says_many(70, "line").await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.sees("line 70").await;
    ben.has_read("told the server that it was read").await;
    assert_eq!(
        count(&ben, ".message__unread").await,
        0,
        "the first that is new to Ben is not shown"
    );
    let words = ben.words_of(".unseen").await;
    assert!(words.contains("70 unread"), "{words}");
    ben.presses(".unseen").await;
    let line = "const line = document.querySelector('.message__unread');
                return line && line.parentElement.querySelector('.message__text').textContent";
    assert_eq!(ben.until("saw the line", line, &[]).await, json!("line 1"));
    let seen = "const list = document.querySelector('#messages').getBoundingClientRect();
         const { top } = document.querySelector('.message__unread').getBoundingClientRect();
         return top > list.top && top < list.bottom";
    ben.until("had the line in sight", seen, &[]).await;
}

#[tokio::test]
async fn paging_up_to_the_first_unread_finds_the_line_there_and_takes_away_the_way_to_it() {
    let stage = Stage::open().await;
    let (ada, ben) = ben_has_been_in_the_garden(&stage).await;
    ada.says_many(70, "line").await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.has_a_window(1000, 600).await;
    ben.sees("line 70").await;
    assert_eq!(count(&ben, ".unseen").await, 1);
    ben.ask(GO_UP, &[]).await;
    let line = "const line = document.querySelector('.message__unread');
                return line && line.parentElement.querySelector('.message__text').textContent";
    assert_eq!(ben.until("saw the line", line, &[]).await, json!("line 1"));
    assert_eq!(count(&ben, ".unseen").await, 0);
}
