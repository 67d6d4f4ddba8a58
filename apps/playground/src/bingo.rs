//! Bingo: each visitor has a ticket, and every second one ball is drawn for everyone.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::routing::get;
use bellwire_site::bellwire::{Action, Consumer, Error, Html, Patch, Socket, Ticker, Topic};
use bellwire_site::{Live, Page, SiteError, SiteState};
use chrono::Utc;
use serde_json::json;

const BINGO: Topic<u8> = Topic::new("playground.bingo");

/// The number of balls, numbered from 1.
const BALLS: u8 = 10;
/// The numbers on a ticket.
const NUMBERS: usize = 5;

pub(crate) fn routes(site: &SiteState) -> Router<SiteState> {
    let players = site.bellwire().layer().group(BINGO.of(0));
    let balls =
        Ticker::new(&players, Duration::from_secs(1), || new_ball(ball_at(Utc::now().timestamp())));
    let live = async move |live: Live| live.run(Player { balls: balls.clone() });
    Router::new().route("/bingo/", get(show)).route("/ws/bingo/", get(live))
}

#[derive(Template)]
#[template(path = "playground/bingo.html")]
struct BingoPage {
    numbers: Vec<u8>,
}

async fn show() -> Result<Page, SiteError> {
    let about = "Bingo with every visitor: five numbers of your own, and a new ball every second.";
    let page = crate::page(
        "Bingo",
        about,
        &BingoPage { numbers: ticket().map_err(SiteError::internal)? },
    )?;
    // The page contains its ticket, and keeps it when the socket reconnects.
    Ok(page.script("playground/bingo_controller.js").connect("/ws/bingo/?ticket=mine"))
}

#[derive(Action)]
pub(crate) enum BingoAction {
    #[serde(rename = "New ticket")]
    NewTicket {},
}

struct Player {
    balls: Ticker,
}

impl Consumer for Player {
    type Action = BingoAction;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        if socket.scope().query("ticket").next().is_none() {
            socket.patch(new_ticket()?).await?;
        }
        self.balls.watch(socket);
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        BingoAction::NewTicket {}: BingoAction,
    ) -> Result<(), Error> {
        socket.patch(new_ticket()?).await
    }

    /// Sends nothing: a missed ball is drawn again soon.
    async fn lagged(&mut self, _: &mut Socket<Self>) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Template)]
#[template(path = "playground/_ticket.html")]
struct Ticket<'a> {
    numbers: &'a [u8],
}

fn new_ticket() -> Result<Patch, Error> {
    let numbers = ticket()?;
    let html = Html::from_template(&Ticket { numbers: &numbers })?;
    Ok(Patch::inner("#ticket", html)
        .json_text(json!({ "action": "New ticket", "ticket": numbers }).to_string()))
}

fn new_ball(ball: u8) -> Patch {
    let html =
        format!("<b class=\"ball\" data-bingo-target=\"ball\" data-number=\"{ball}\">{ball}</b>");
    Patch::inner("#ball", Html::trusted(html))
        .json_text(json!({ "action": "New ball", "ball": ball }).to_string())
}

/// Draws five different numbers, sorted, with the system's random number generator.
fn ticket() -> Result<Vec<u8>, getrandom::Error> {
    let mut numbers = shuffled(getrandom::u64()?);
    numbers.truncate(NUMBERS);
    numbers.sort_unstable();
    Ok(numbers)
}

/// The ball of this second, the same in every process. Every ten seconds each ball is drawn once,
/// in a new order.
fn ball_at(second: i64) -> u8 {
    let (round, place) = (second.div_euclid(BALLS.into()), second.rem_euclid(BALLS.into()));
    shuffled(hashed(round.cast_unsigned()))[usize::try_from(place).unwrap_or_default()]
}

/// All balls, in an order determined by the number.
fn shuffled(mut number: u64) -> Vec<u8> {
    let mut balls: Vec<u8> = (1..=BALLS).collect();
    for last in (1..balls.len()).rev() {
        let among = last as u64 + 1;
        balls.swap(last, usize::try_from(number % among).unwrap_or_default());
        number /= among;
    }
    balls
}

/// Hashes the number (SplitMix64), so that consecutive numbers give unrelated orders.
fn hashed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_ticket_has_five_different_numbers_from_one_to_ten() {
        let mut seen = HashSet::new();
        for _ in 0..1_000 {
            let numbers = ticket().unwrap();
            assert!(numbers.iter().all(|number| (1..=BALLS).contains(number)), "{numbers:?}");
            assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), NUMBERS, "{numbers:?}");
            seen.insert(numbers);
        }
        assert!(seen.len() > 200, "{} of 252 tickets", seen.len());
    }

    #[test]
    fn each_ball_is_drawn_once_in_ten_seconds_in_a_changing_order() {
        let rounds: HashSet<Vec<u8>> = (0..100)
            .map(|round| {
                let balls: Vec<u8> =
                    (0..10).map(|second| ball_at(1_800_000_000 + 10 * round + second)).collect();
                assert_eq!(balls.iter().collect::<HashSet<_>>().len(), 10, "{balls:?}");
                balls
            })
            .collect();
        assert!(rounds.len() > 90);
    }
}
