//! Reading position: unread line, older messages, permalinks, several tabs.

use bellwire_browser_tests::{Person, Site};
use serde_json::{Value, json};

/// Posts many messages by script: `line 1` to `line <count>`.
const POST_MANY: &str = "return (async (count, word) => {
         for (let n = 1; n <= count; n++) {
             const body = new URLSearchParams({ message: `${word} ${n}`, client_id: `${word}${n}` });
             await fetch(location.pathname, { method: 'POST', body, redirect: 'manual' });
         }
         return true;
     })(...arguments)";

/// Records the first visible message and its position, then scrolls near the top, where older
/// messages load.
const SCROLL_UP: &str = "const list = document.querySelector('#messages'), top = list.getBoundingClientRect().top;
     list.scrollTop = Math.min(list.scrollTop - 1, 300);
     const seen = [...document.querySelectorAll('.messages .message__text')].find(e => e.getBoundingClientRect().bottom > top);
     window.placeOfTheStory = [seen, seen.getBoundingClientRect().top];
     return true";

/// How far the recorded message has moved since.
const MOVED: &str = "const [seen, top] = window.placeOfTheStory;
     return seen.isConnected ? Math.abs(seen.getBoundingClientRect().top - top) : 1e6";

const PLACES: &str =
    "return [...document.querySelectorAll('.messages > li')].map(e => Number(e.dataset.place))";

async fn count(person: &Person, selector: &str) -> u64 {
    let script = "return document.querySelectorAll(arguments[0]).length";
    person.run_script(script, &[json!(selector)]).await.as_u64().unwrap_or_default()
}

async fn has_moved_at_most_two_pixels(person: &Person) {
    let moved = person.run_script(MOVED, &[]).await.as_f64().unwrap_or(1e6);
    assert!(moved <= 2.0, "what {} was reading moved by {moved} pixels", person.name());
}

/// Adds Ada and Ben. Ben has read all of "Garden" and is now in "Harbour".
async fn ada_in_garden_ben_in_harbour(site: &Site) -> (Person, Person) {
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.says("the first of all").await;
    ada.sees("the first of all").await;
    ben.opens_room("Garden").await;
    ben.is_connected().await;
    ben.has_read("reported it as read").await;
    ben.opens_room("Harbour").await;
    ben.is_connected().await;
    (ada, ben)
}

trait Reader {
    async fn has_read(&self, what: &str);
    async fn posts_many(&self, count: u32, word: &str);
}

impl Reader for Person {
    /// Queries the server: a newly loaded page shows no message as unread.
    async fn has_read(&self, what: &str) {
        let script = "return (async () => {
             const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), 'text/html');
             const room = page.querySelector('.room'), last = page.querySelector('.messages > li:last-child');
             return Number(room.dataset.lastRead) >= Number(last.dataset.place);
         })()";
        self.until(what, script, &[]).await;
    }

    async fn posts_many(&self, count: u32, word: &str) {
        self.until("posted all messages", POST_MANY, &[json!(count), json!(word)]).await;
    }
}

#[tokio::test]
async fn the_unread_line_is_above_the_first_new_message_and_stays_while_it_is_read() {
    let site = Site::open().await;
    let (ada, ben) = ada_in_garden_ben_in_harbour(&site).await;
    ada.says("new to Ben").await;
    ada.sees("new to Ben").await;
    ada.says("this as well").await;
    ada.sees("this as well").await;

    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    let line = "const line = document.querySelector('.message__unread');
                return line && line.parentElement.querySelector('.message__text').textContent";
    assert_eq!(ben.until("saw the line", line, &[]).await, json!("new to Ben"));
    ben.has_read("reported it as read").await;
    ada.says("while Ben reads").await;
    ben.sees("while Ben reads").await;
    assert_eq!(ben.run_script(line, &[]).await, json!("new to Ben"), "the line stays where it was");
    assert_eq!(count(&ben, ".message__unread").await, 1);
    assert_eq!(count(&ben, ".message__day").await, 1, "one day, one line");
    assert_eq!(count(&ada, ".message__unread").await, 0, "her own messages are not unread for her");
    let only_messages = "return [...document.querySelector('.messages').children].every(e => e.matches('li.message'))";
    assert_eq!(
        ben.run_script(only_messages, &[]).await,
        json!(true),
        "the list contains only messages"
    );

    ben.has_read("reported the last one as read").await;
    ben.visit("/chat/garden/").await;
    ben.sees("while Ben reads").await;
    assert_eq!(count(&ben, ".message__unread").await, 0, "everything was read");
}

#[tokio::test]
async fn older_messages_load_near_the_top_without_moving_the_visible_ones() {
    let site = Site::open().await;
    let (ada, ben) = ada_in_garden_ben_in_harbour(&site).await;
    ada.posts_many(120, "line").await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.sets_window_size(1000, 600).await;
    ben.sees("line 120").await;
    let mut known = count(&ben, ".messages > li").await;
    assert_eq!(known, 50);
    while known < 121 {
        ben.run_script(SCROLL_UP, &[]).await;
        let more = "return document.querySelectorAll('.messages > li').length > arguments[0]";
        ben.until("got older messages", more, &[json!(known)]).await;
        has_moved_at_most_two_pixels(&ben).await;
        known = count(&ben, ".messages > li").await;
    }
    assert_eq!(
        ben.run_script(PLACES, &[]).await,
        json!((1..=121).collect::<Vec<_>>()),
        "all of them, in order, none twice"
    );
    assert_eq!(count(&ben, ".room__older").await, 0, "the room begins here");

    // Far from the end, new messages do not scroll the list; they are counted instead.
    ben.run_script("document.querySelector('#messages').scrollTop = 900", &[]).await;
    ben.until(
        "saw the button to the newest message",
        "return !document.querySelector('.jump').hidden",
        &[],
    )
    .await;
    let record = "const list = document.querySelector('#messages'), top = list.getBoundingClientRect().top;
         const seen = [...document.querySelectorAll('.message__text')].find(e => e.getBoundingClientRect().bottom > top);
         window.placeOfTheStory = [seen, seen.getBoundingClientRect().top]; return true";
    ben.run_script(record, &[]).await;
    ada.says("far below").await;
    ada.says("and another").await;
    ben.sees("and another").await;
    has_moved_at_most_two_pixels(&ben).await;
    ben.reads(".jump__count", "2 new").await;
    ben.presses(".jump").await;
    let at_the_end = "const list = document.querySelector('#messages');
         return list.scrollHeight - list.clientHeight - list.scrollTop < 3 && document.querySelector('.jump').hidden";
    ben.until("was at the newest message", at_the_end, &[]).await;
}

#[tokio::test]
async fn a_permalink_shows_its_message_in_the_middle_without_live_messages() {
    let site = Site::open().await;
    let (ada, ben) = ada_in_garden_ben_in_harbour(&site).await;
    ada.posts_many(120, "line").await;
    ben.visit("/chat/-/messages/40/").await;
    ben.is_connected().await;
    let middle = "const list = document.querySelector('#messages').getBoundingClientRect();
         const found = document.querySelector('.message--found')?.getBoundingClientRect();
         if (!found) return false;
         const at = (found.top + found.height / 2 - list.top) / list.height;
         return at > .3 && at < .7 && document.querySelector('.message--found').id";
    assert_eq!(ben.until("saw it in the middle", middle, &[]).await, json!("message--40"));
    let before = ben.run_script(PLACES, &[]).await;
    ada.says("far from there").await;
    ada.sees("far from there").await;
    // The page receives both over one socket: had the message been sent here, it would have arrived
    // before the typing notice.
    ada.types("#message", "still").await;
    ben.until(
        "saw Ada type",
        "return document.querySelector('#typing').innerText.includes('Ada')",
        &[],
    )
    .await;
    assert_eq!(ben.run_script(PLACES, &[]).await, before);

    ben.says("said from the middle").await;
    ben.sees("said from the middle").await;
    ben.sees("far from there").await;
    ada.sees("said from the middle").await;
}

#[tokio::test]
async fn reading_in_one_tab_clears_the_badge_in_another_and_marking_unread_restores_it() {
    let site = Site::open().await;
    let (ada, ben) = ada_in_garden_ben_in_harbour(&site).await;
    ada.says("unread in both tabs").await;
    let first = ben.tab();
    let unread =
        "const link = [...document.querySelectorAll('.link')].find(e => e.textContent.includes('Garden'));
         return Number(link?.dataset.newest) > Number(link?.dataset.read)";
    ben.until("saw an unread message in the garden", unread, &[]).await;

    let second = ben.opens_tab().await;
    ben.switches_to(&second).await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.sees("unread in both tabs").await;
    // A new tab opens in the background and gets the focus by a click.
    ben.presses("#message").await;
    let looks = ben.run_script("return [document.hasFocus(), document.visibilityState]", &[]).await;
    assert_eq!(looks, json!([true, "visible"]), "this tab has the focus");
    ben.has_read("reported it as read").await;
    ben.switches_to(&first).await;
    ben.until(
        "saw it marked as read by the other tab",
        &format!("return !(() => {{ {unread} }})()"),
        &[],
    )
    .await;

    ben.switches_to(&second).await;
    ben.run_script(
        "document.querySelector('.messages > li:last-child .message__link').focus({ focusVisible: true })",
        &[],
    )
    .await;
    ben.presses("[data-tool=unread]").await;
    ben.reads(".tools__words", "Marked unread").await;
    ben.switches_to(&first).await;
    ben.until("saw it unread again", unread, &[]).await;
    assert_ne!(ben.run_script(unread, &[]).await, Value::Null);
}

#[tokio::test]
async fn more_unread_messages_than_a_page_shows_are_counted_with_a_link_to_the_first_and_without_a_line()
 {
    let site = Site::open().await;
    let (ada, ben) = ada_in_garden_ben_in_harbour(&site).await;
    ada.posts_many(70, "line").await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.sees("line 70").await;
    ben.has_read("reported it as read").await;
    assert_eq!(
        count(&ben, ".message__unread").await,
        0,
        "the first unread message is not displayed"
    );
    let words = ben.text_of(".unseen").await;
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
async fn loading_older_messages_up_to_the_first_unread_shows_the_line_and_removes_the_link() {
    let site = Site::open().await;
    let (ada, ben) = ada_in_garden_ben_in_harbour(&site).await;
    ada.posts_many(70, "line").await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    ben.sets_window_size(1000, 600).await;
    ben.sees("line 70").await;
    assert_eq!(count(&ben, ".unseen").await, 1);
    ben.run_script(SCROLL_UP, &[]).await;
    let line = "const line = document.querySelector('.message__unread');
                return line && line.parentElement.querySelector('.message__text').textContent";
    assert_eq!(ben.until("saw the line", line, &[]).await, json!("line 1"));
    assert_eq!(count(&ben, ".unseen").await, 0);
}
