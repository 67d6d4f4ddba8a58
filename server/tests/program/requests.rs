//! Fuzzes the server with malformed HTTP requests: every request is answered, none with a 5xx
//! status, and no memory is leaked.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::mutate::{
    Dice, Share, deadline, memory, noise, report_tried, seeds, try_all, warm_up, waves,
};
use crate::store::Store;
use crate::support::{HttpClient, Server, TEST_TIMEOUT, bellwire, folder};

/// Number of requests unless the environment requests more. PostgreSQL gets fewer, because only the
/// database code differs.
const ON_SQLITE: Share = Share { usual: 2_500, warm_up: 2_000 };
const ON_POSTGRESQL: Share = Share { usual: 500, warm_up: 500 };
/// The number of concurrent password attempts that one address may make, so that no request is
/// refused as busy.
const WORKERS: usize = 6;
/// If the server sends nothing for this long, the client closes its half of the connection.
const QUIET: Duration = Duration::from_millis(60);
/// Memory growth that each wave may cause, in KiB. In some waves the caches of the database
/// connections fill, or the allocator keeps freed memory; a leak grows in every wave.
const TOLERANCE: u64 = 2 * 1024;

/// A valid request of every kind: method, path and form. `{}` stands for a number. `SHAKE` is a
/// WebSocket handshake.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("GET", "/", ""),
    ("HEAD", "/", ""),
    ("OPTIONS", "/chat/", ""),
    ("POST", "/ring/", ""),
    ("GET", "/nowhere/", ""),
    ("GET", "/accounts/signup/?next=/chat/", ""),
    (
        "POST",
        "/accounts/signup/",
        "username=Grace+{}&email=g{}@example.org&password=a+bell+for+every+test&password_confirm=a+bell+for+every+test&next=/chat/",
    ),
    ("GET", "/accounts/login/?next=%2Fchat%2F", ""),
    ("POST", "/accounts/login/", "username=Ada&password=not+hers&next=/chat/fuzz/"),
    ("POST", "/accounts/logout/", ""),
    ("GET", "/accounts/first/", ""),
    (
        "POST",
        "/accounts/first/",
        "username=Eve&password=a+bell+for+every+test&password_confirm=a+bell+for+every+test",
    ),
    (
        "POST",
        "/accounts/ticket/",
        "ticket=5OyTf-vo3EzHojtCFtvJ_eV034qIcZgmo-nWzie6zpo&next=/pages/profile/",
    ),
    ("GET", "/bmi/?height=180&weight=75", ""),
    ("GET", "/uppercase/?text=stra%C3%9Fe", ""),
    ("GET", "/todo/", ""),
    ("POST", "/todo/", "task=Buy+milk+{}"),
    ("GET", "/pages/login/", ""),
    ("GET", "/pages/h%C3%A4-{}/", ""),
    ("GET", "/htmx/4/?room=kitchen", ""),
    ("POST", "/htmx/", "room=attic&chat_message=Up+here+{}"),
    ("GET", "/accounts/", ""),
    ("POST", "/accounts/sessions/end/", ""),
    ("POST", "/accounts/sessions/{}/end/", ""),
    ("GET", "/accounts/password/", ""),
    (
        "POST",
        "/accounts/password/",
        "current=a+bell+for+every+test&password=another+bell&password_confirm=another+bell",
    ),
    ("GET", "/chat/", ""),
    ("POST", "/chat/", "name=Room+{}"),
    ("GET", "/chat/fuzz/", ""),
    ("GET", "/chat/h%C3%A4ndler-{}/", ""),
    ("POST", "/chat/fuzz/", "message=Lunch%3F&client_id=r-{}"),
    ("POST", "/chat/fuzz/", "message=%F0%9F%94%94+%3Cb%3Ebold%3C%2Fb%3E%0D%0Aand+more"),
    ("GET", "/chat/fuzz/?before={}", ""),
    ("GET", "/chat/fuzz/?at={}", ""),
    ("GET", "/chat/-/search/?q=lunch", ""),
    ("GET", "/chat/-/names/?q=Per", ""),
    ("GET", "/chat/-/people/", ""),
    ("POST", "/chat/-/people/{}/", ""),
    ("GET", "/chat/-/messages/{}/?edit=1", ""),
    ("POST", "/chat/-/messages/{}/", "message=Dinner%3F"),
    ("POST", "/chat/-/messages/{}/delete/", ""),
    ("GET", "/chat/-/rooms/{}/", ""),
    ("POST", "/chat/-/rooms/{}/", "name=Room+{}"),
    ("POST", "/chat/-/rooms/{}/members/", "kind=closed&member=1&member={}"),
    ("POST", "/chat/-/rooms/{}/delete/", ""),
    ("GET", "/static/{build}/site.css", ""),
    ("GET", "/static/{build}/bellwire.js", ""),
    ("GET", "/static/{build}/chat/chat.css", ""),
    ("GET", "/static/0/site.css", ""),
    ("SHAKE", "/ws/?dialect=htmx", ""),
    ("SHAKE", "/ws/chat/fuzz/?dialect=json&since=chat.room.1%3Aa.{}", ""),
    ("SHAKE", "/ws/chat/none-{}/", ""),
    (
        "SHAKE",
        "/ws/chat/?dialect=htmx&sidebar=1&at=%2Fchat%2Ffuzz%2F&since=chat.room.1%3A3f9c2b0a71.1",
        "",
    ),
];

/// Malformed, unusual or oversized headers.
const JUNK: &[&str] = &[
    "Content-Length: -1",
    "Content-Length: 18446744073709551616",
    "Content-Length: 5, 5",
    "Content-Length: 0x10",
    "Content-Length: +7",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: identity",
    "Transfer-Encoding : chunked",
    "Expect: 100-continue",
    "Expect: 200-ok",
    "Connection: close",
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "Upgrade: websocket",
    "Host: evil.example",
    "Host:",
    "Host: [::1",
    "Host: 127.0.0.1:99999999",
    "Origin: null",
    "Origin: http://evil.example",
    "Origin: \x7f",
    "Referer: %%",
    "Sec-Fetch-Site: cross-site",
    "Sec-WebSocket-Version: 99999999999",
    "Sec-WebSocket-Key: AAAA",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Sec-WebSocket-Protocol: ,,, ,",
    "Cookie: bellwire_session=",
    "Cookie: bellwire_session=%00; bellwire_session=a; bellwire_session=b",
    "Cookie: ;;;=;=",
    "Accept: */*;q=nan",
    "Accept-Encoding: br;q=1e999, *;q=-0",
    "If-None-Match: *",
    "If-None-Match: W/\"",
    "Range: bytes=0-0,-1,5-2",
    "Range: bytes=-9999999999999999999",
    "If-Modified-Since: Thu, 99 Foo 99999 99:99:99 GMT",
    "Content-Type: multipart/form-data",
    "Content-Type: application/json",
    "Content-Type: a/b; charset=\"",
    "Content-Encoding: gzip",
    "X-Forwarded-For: ::::, [::1]:x, 1.2.3.4",
    "HX-Request: true",
    "HX-Current-URL: \\\\",
    "User-Agent: \u{202e}\u{0}",
    " folded: line",
    "no colon",
    ": no name",
    "Date: \u{ff}",
];

const METHODS: &[&str] = &[
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "OPTIONS",
    "PROPFIND",
    "get",
    "PRI",
    "G\u{0}T",
    "",
    "GETGETGETGETGETGETGET",
];

/// Sends mutated requests. Stays signed in until one of them signs out.
struct Fuzzer<'a> {
    site: &'a Site,
    cookie: String,
    statuses: BTreeMap<u16, u64>,
}

struct Site {
    server: Server,
    /// The build identifier in `/static/<build>/`.
    build: String,
    statuses: Mutex<BTreeMap<u16, u64>>,
}

#[test]
fn mutated_requests_cause_no_server_error_and_leak_no_memory() {
    let folder = folder("requests");
    try_requests(&folder, &Store::sqlite(&folder), ON_SQLITE);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL, which bin/test provides"]
async fn mutated_requests_cause_no_server_error_and_leak_no_memory_on_postgresql() {
    let folder = folder("requests-postgres");
    let store = Store::postgres("requests").await;
    try_requests(&folder, &store, ON_POSTGRESQL);
    store.remove().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

fn try_requests(folder: &Path, store: &Store, share: Share) {
    let mut command = bellwire(folder);
    command.env("DATABASE_URL", store.url());
    command.env("BELLWIRE_LOG", "warn").env("BELLWIRE_TRUSTED_PROXIES", "127.0.0.1");
    // One heap instead of one for each thread: glibc keeps memory freed by a thread, which would
    // look like a leak.
    command.env("MALLOC_ARENA_MAX", "1");
    let server = Server::start(command);
    let mut ada = HttpClient::connect(&server.address, "").unwrap();
    ada.sign_up("Ada");
    assert_eq!(ada.post("/chat/", "name=fuzz").unwrap().status, 303);
    let home = ada.get("/").unwrap().text;
    let build = home.split_once("/static/").unwrap().1.split('/').next().unwrap().to_owned();
    let site = Site { server, build, statuses: Mutex::default() };
    let new_fuzzer = |_| Fuzzer { site: &site, cookie: String::new(), statuses: BTreeMap::new() };
    new_fuzzer(0).nul_everywhere().unwrap();
    let seeds = seeds(share.usual);
    try_all(warm_up(&seeds, share.warm_up), WORKERS, deadline(20), new_fuzzer, Fuzzer::run_seed);
    let mut tried = 0;
    let mut held = vec![memory(site.server.id())];
    for wave in waves(&seeds) {
        tried += try_all(wave, WORKERS, deadline(10), new_fuzzer, Fuzzer::run_seed);
        held.push(memory(site.server.id()));
    }
    let mut client = HttpClient::connect(&site.server.address, "").unwrap();
    assert_eq!(client.get("/").unwrap().status, 200);
    new_fuzzer(0).sign_up(seeds.end).unwrap();
    let log = site.server.log();
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    let statuses = site.statuses.lock().unwrap();
    eprintln!(
        "{tried} requests: {held:?} KiB before and after each wave; statuses {statuses:?} (0: closed \
         without a response)"
    );
    report_tried(&format!("mutated requests on {}", store.name()), tried, &seeds);
    // A single wave, as for a single seed, fills the caches and proves nothing.
    let grown = held.windows(2).map(|two| two[1].saturating_sub(two[0])).min().unwrap();
    assert!(
        held.len() <= 2 || grown <= TOLERANCE,
        "every wave leaks at least {grown} KiB: {held:?}"
    );
}

impl Drop for Fuzzer<'_> {
    fn drop(&mut self) {
        let mut all = self.site.statuses.lock().unwrap();
        self.statuses.iter().for_each(|(status, times)| *all.entry(*status).or_default() += times);
    }
}

impl Fuzzer<'_> {
    fn run_seed(&mut self, seed: u64) -> Result<(), String> {
        let mut dice = Dice::new(seed);
        if self.cookie.is_empty() || seed.is_multiple_of(100) {
            self.sign_up(seed)?;
        }
        let request = self.request(&mut dice);
        self.send(&request)
    }

    /// Sends every valid request with U+0000 at the start of each value: SQLite stores it,
    /// PostgreSQL refuses it.
    fn nul_everywhere(&mut self) -> Result<(), String> {
        self.sign_up(u64::from(u32::MAX))?;
        for valid in REQUESTS {
            let (_, path, form) = valid;
            for (at, _) in path.match_indices(['/', '=']).filter(|(at, _)| *at > 0) {
                let path = format!("{}%00{}", &path[..=at], &path[at + 1..]);
                self.send(&self.head_and_form(&(valid.0, &path, form), &mut Dice::new(at as u64)))?;
            }
            for (at, _) in form.match_indices('=') {
                let form = format!("{}%00{}", &form[..=at], &form[at + 1..]);
                self.send(&self.head_and_form(&(valid.0, path, &form), &mut Dice::new(at as u64)))?;
            }
        }
        Ok(())
    }

    fn send(&mut self, request: &[u8]) -> Result<(), String> {
        let statuses = exchange(&self.site.server.address, request)
            .and_then(|(response, cut_short)| parse_responses(&response, request, cut_short));
        let statuses = statuses.map_err(|what| {
            format!("{what}\nrequest: {:.3000}", request.escape_ascii().to_string())
        })?;
        if let Some(fault) = statuses.iter().find(|status| **status >= 500) {
            return Err(format!(
                "status {fault}\nrequest: {:.3000}",
                request.escape_ascii().to_string()
            ));
        }
        if statuses.is_empty() {
            *self.statuses.entry(0).or_default() += 1;
        }
        statuses.into_iter().for_each(|status| *self.statuses.entry(status).or_default() += 1);
        Ok(())
    }

    /// Creates a new account, because a sent request may have signed out the previous one. A valid
    /// request must succeed at any time.
    fn sign_up(&mut self, seed: u64) -> Result<(), String> {
        let host = &self.site.server.address;
        let form = format!(
            "username=Person+{seed}&password=a+bell+for+every+test&password_confirm=a+bell+for+every+test"
        );
        let [_, _, c, d] = u32::try_from(seed & 0xffff_ffff).unwrap().to_be_bytes();
        let request = format!(
            "POST /accounts/signup/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             X-Forwarded-For: 10.9.{c}.{d}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let (response, _) = exchange_within(host, request.as_bytes(), TEST_TIMEOUT)?;
        let response = String::from_utf8_lossy(&response).into_owned();
        let cookie = response.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .starts_with("set-cookie:")
                .then(|| line[11..].trim().to_owned())
        });
        let cookie = cookie.ok_or_else(|| format!("a valid request fails: {response}"))?;
        cookie.split(';').next().unwrap().clone_into(&mut self.cookie);
        Ok(())
    }

    /// Returns a mutated request.
    fn request(&self, dice: &mut Dice) -> Vec<u8> {
        let mut request = self.valid_request(dice);
        for _ in 0..dice.below(4) {
            match dice.below(17) {
                0 => add_line(&mut request, dice.pick(JUNK), dice),
                1 => add_line(&mut request, dice.pick(JUNK), dice),
                2 => change_line(&mut request, dice, |_, _| Vec::new()),
                3 => change_line(&mut request, dice, |line, _| [line, line].concat()),
                4 => change_line(&mut request, dice, |line, dice| {
                    let mut line = line.to_vec();
                    noise(&mut line, dice);
                    line
                }),
                5 => replace_first(&mut request, b" ", dice.pick(METHODS).as_bytes()),
                6 => request = [request, self.valid_request(dice)].concat(),
                7 => {
                    let other = self.valid_request(dice);
                    request.truncate(dice.below(request.len() + 1));
                    request.extend(&other[dice.below(other.len() + 1)..]);
                }
                8 => chunk_the_body(&mut request, dice),
                9 => change_a_number(&mut request, dice),
                10 => add_line(
                    &mut request,
                    &format!("X-Long: {}", "x".repeat(1 << dice.below(18))),
                    dice,
                ),
                11 => (0..1 << dice.below(9))
                    .for_each(|n| add_line(&mut request, &format!("X-{n}: and more"), dice)),
                12 => lengthen_the_body(&mut request, dice),
                13 => {
                    let version = dice.pick(&[
                        "HTTP/1.0",
                        "HTTP/0.9",
                        "HTTP/2.0",
                        "HTTP/9.9",
                        "http/1.1",
                        "HTTP/1.1 ",
                        "",
                    ]);
                    replace(&mut request, b"HTTP/1.1", version.as_bytes());
                }
                14 => insert_nul(&mut request, dice),
                _ => noise(&mut request, dice),
            }
        }
        request
    }

    fn valid_request(&self, dice: &mut Dice) -> Vec<u8> {
        self.head_and_form(&REQUESTS[dice.below(REQUESTS.len())], dice)
    }

    fn head_and_form(&self, (method, path, form): &(&str, &str, &str), dice: &mut Dice) -> Vec<u8> {
        let (host, cookie) = (&self.site.server.address, &self.cookie);
        let number = (dice.number() % 2_000).to_string();
        let fill = |text: &str| text.replace("{build}", &self.site.build).replace("{}", &number);
        let (path, form) = (fill(path), fill(form));
        let mut head = match *method {
            "SHAKE" => format!(
                "GET {path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            ),
            _ => format!("{method} {path} HTTP/1.1\r\n"),
        };
        head += &format!(
            "Host: {host}\r\nOrigin: http://{host}\r\nX-Forwarded-For: 10.1.1.{}\r\n",
            dice.below(200)
        );
        if !dice.one_in(4) {
            head += &format!("Cookie: {cookie}\r\n");
        }
        head += dice.pick(&[
            "Accept: text/html\r\n",
            "Accept-Encoding: br, gzip\r\n",
            "HX-Request: true\r\n",
            "",
        ]);
        if *method == "POST" {
            head += &format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                form.len()
            );
        }
        format!("{head}\r\n{form}").into_bytes()
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn replace(bytes: &mut Vec<u8>, what: &[u8], with: &[u8]) {
    if let Some(at) = find(bytes, what) {
        drop(bytes.splice(at..at + what.len(), with.iter().copied()));
    }
}

/// Replaces everything before the first `end`.
fn replace_first(bytes: &mut Vec<u8>, end: &[u8], with: &[u8]) {
    if let Some(at) = find(bytes, end) {
        drop(bytes.splice(..at, with.iter().copied()));
    }
}

/// The offsets of the header lines, without the request line, and of the end of the head.
fn lines(request: &[u8]) -> Vec<usize> {
    let head = find(request, b"\r\n\r\n").map_or(request.len(), |at| at + 2);
    (2..=head).filter(|&at| request[..at].ends_with(b"\r\n")).collect()
}

fn add_line(request: &mut Vec<u8>, line: &str, dice: &mut Dice) {
    let lines = lines(request);
    if !lines.is_empty() {
        let at = lines[dice.below(lines.len())];
        drop(request.splice(at..at, format!("{line}\r\n").into_bytes()));
    }
}

fn change_line(
    request: &mut Vec<u8>,
    dice: &mut Dice,
    change: impl Fn(&[u8], &mut Dice) -> Vec<u8>,
) {
    let lines = lines(request);
    if lines.len() > 1 {
        let line = dice.below(lines.len() - 1);
        let (start, end) = (lines[line], lines[line + 1]);
        let changed = change(&request[start..end], dice);
        drop(request.splice(start..end, changed));
    }
}

fn change_a_number(request: &mut Vec<u8>, dice: &mut Dice) {
    let digits: Vec<usize> =
        (0..request.len()).filter(|&at| request[at].is_ascii_digit()).collect();
    if !digits.is_empty() {
        let at = digits[dice.below(digits.len())];
        let number = dice.pick(&[
            "0",
            "1",
            "-1",
            "65536",
            "999999999999999999999",
            "4294967296",
            "9223372036854775808",
            "1e9",
            "0x7",
        ]);
        drop(request.splice(at..=at, number.bytes()));
    }
}

/// Replaces three letters of the path or the form by U+0000 (`%00`), so that the length stays
/// correct.
fn insert_nul(request: &mut [u8], dice: &mut Dice) {
    let head = find(request, b"\r\n\r\n").unwrap_or(request.len());
    let line = find(request, b"\r\n").unwrap_or(request.len());
    let is_text = |at: &usize| request[*at..at + 3].iter().all(u8::is_ascii_alphanumeric);
    let places: Vec<_> = (0..request.len().saturating_sub(2))
        .filter(|at| !(line..head).contains(at))
        .filter(is_text)
        .collect();
    if !places.is_empty() {
        let at = places[dice.below(places.len())];
        request[at..at + 3].copy_from_slice(b"%00");
    }
}

/// Sends the same body with chunked encoding, valid or malformed.
fn chunk_the_body(request: &mut Vec<u8>, dice: &mut Dice) {
    let Some(at) = find(request, b"\r\n\r\n") else { return };
    let mut chunked = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in request[at + 4..].chunks(1 + dice.below(50)) {
        let length = if dice.one_in(20) { dice.below(1 << 20) } else { chunk.len() };
        let more = dice.pick(&["", "", "", ";name=value", ";\"", "\r", " "]);
        chunked.extend(format!("{length:x}{more}\r\n").bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(dice.pick(&[
        &b"0\r\n\r\n"[..],
        b"0\r\n\r\n",
        b"0\r\nTrailer: x\r\n\r\n",
        b"00000000000000000\r\n\r\n",
        b"ffffffffffffffffff\r\n",
        b"-1\r\n",
        b"",
    ]));
    request.truncate(at + 2);
    request.extend(chunked);
    if !dice.one_in(4) {
        let Some(length) = find(request, b"Content-Length") else { return };
        let end = find(&request[length..], b"\r\n").map_or(request.len(), |end| length + end + 2);
        request.drain(length..end);
    }
}

/// Appends many fields or a very long field, and corrects `Content-Length`.
fn lengthen_the_body(request: &mut Vec<u8>, dice: &mut Dice) {
    let Some(at) = find(request, b"\r\n\r\n") else { return };
    let piece = dice.pick(&["&message=x", "%", "&=&", "x", "&username=%ff%00", "+", "&a[]=1"]);
    let more = piece.repeat(1 << dice.below(16));
    request.extend(more.bytes());
    let length = request.len() - at - 4;
    if let Some(start) = find(&request[..at], b"Content-Length: ") {
        let end = find(&request[start..], b"\r\n").map_or(at, |end| start + end);
        drop(request.splice(start + 16..end, length.to_string().into_bytes()));
    }
}

fn exchange(address: &str, request: &[u8]) -> Result<(Vec<u8>, bool), String> {
    exchange_within(address, request, QUIET)
}

/// Sends the request and reads until the server closes, which follows soon after the client's half
/// close. Also returns whether the client closed early because the server was quiet.
fn exchange_within(
    address: &str,
    request: &[u8],
    quiet: Duration,
) -> Result<(Vec<u8>, bool), String> {
    let mut stream =
        TcpStream::connect(address).map_err(|error| format!("no connection: {error}"))?;
    stream.set_nodelay(true).unwrap();
    stream.set_write_timeout(Some(TEST_TIMEOUT)).unwrap();
    stream.set_read_timeout(Some(quiet)).unwrap();
    if let Err(error) = stream.write_all(request)
        && matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
    {
        return Err("the server reads nothing and does not close".to_owned());
    }
    let (mut response, mut buffer, mut ended, mut cut_short) =
        (Vec::new(), [0; 16 * 1024], false, false);
    let begun = Instant::now();
    loop {
        // An endless response does not extend the wait.
        if begun.elapsed() > 2 * TEST_TIMEOUT {
            return Err(format!("the response does not end: {}", response.escape_ascii()));
        }
        let enough = match stream.read(&mut buffer) {
            Ok(0) => return Ok((response, cut_short)),
            Ok(some) => {
                response.extend(&buffer[..some]);
                parse_responses(&response, request, false).is_ok()
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if ended {
                    return Err(format!(
                        "the server does not close after: {}",
                        response.escape_ascii()
                    ));
                }
                cut_short = true;
                true
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return Ok((response, true)), // a reset, because the server left bytes unread
        };
        if enough && !ended {
            ended = true;
            stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
            let _ = stream.shutdown(Shutdown::Write);
        }
    }
}

/// Parses the responses and returns their statuses. All must be well-formed; only the last one may
/// be truncated, and only if the client closed early (`cut_short`).
fn parse_responses(mut bytes: &[u8], request: &[u8], cut_short: bool) -> Result<Vec<u16>, String> {
    let mut statuses = Vec::new();
    while !bytes.is_empty() {
        let wrong =
            |what: &str| format!("{what}: {}", bytes[..bytes.len().min(2000)].escape_ascii());
        let head = match find(bytes, b"\r\n\r\n") {
            Some(head) => head,
            None if cut_short => return Ok(statuses),
            None => return Err(wrong("a truncated head")),
        };
        let text =
            std::str::from_utf8(&bytes[..head]).map_err(|_| wrong("a head that is not UTF-8"))?;
        let mut lines = text.split("\r\n");
        let status =
            status_of(lines.next().unwrap_or_default()).ok_or_else(|| wrong("no status"))?;
        let fields: Option<Vec<(String, &str)>> = lines.map(field).collect();
        let fields = fields.ok_or_else(|| wrong("a bad header"))?;
        let value =
            |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        statuses.push(status);
        bytes = &bytes[head + 4..];
        if status == 101 {
            return Ok(statuses); // frames follow
        }
        if matches!(status, 100..200 | 204 | 304) {
            continue;
        }
        if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            if let Some(rest) = after_chunks(bytes) {
                bytes = rest;
            } else if !cut_short && find(request, b"HEAD").is_none() {
                return Err(wrong("truncated chunks"));
            }
        } else if let Some(length) = value("content-length") {
            let length: usize = length.parse().map_err(|_| wrong("a bad length"))?;
            match bytes.get(length..) {
                // A response to HEAD has a length and no body.
                Some(_) if find(request, b"HEAD").is_some() && bytes.starts_with(b"HTTP/1.") => {}
                Some(rest) => bytes = rest,
                None if find(request, b"HEAD").is_some() => return Ok(statuses),
                // A client that closes during the response may receive a part of it.
                None if cut_short => return Ok(statuses),
                None => return Err(wrong("a truncated body")),
            }
        } else {
            return Ok(statuses); // the body ends with the connection
        }
    }
    Ok(statuses)
}

fn status_of(line: &str) -> Option<u16> {
    let status = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    status.get(..3)?.parse().ok().filter(|status| (100..600).contains(status))
}

fn field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(": ").or_else(|| line.split_once(':'))?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_value = !value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t');
    (is_name && is_value).then(|| (name.to_ascii_lowercase(), value))
}

fn after_chunks(mut body: &[u8]) -> Option<&[u8]> {
    loop {
        let line = find(body, b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&body[..line]).ok()?, 16).ok()?;
        let end = line + 2 + length;
        if body.get(end..end + 2)? != b"\r\n" {
            return None;
        }
        body = &body[end + 2..];
        if length == 0 {
            return Some(body);
        }
    }
}
