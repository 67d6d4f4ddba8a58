//! Real sockets: handshakes, frames, closes, and the cost of a delivery.

use bellwire::testing::within;
use bellwire::{Html, Limits, Patch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    BINARY, CLOSE, HANDSHAKE, PING, PONG, Server, TEXT, bellwire, eventually, frame, read_close,
    read_frame, read_text, room, say, with_limits,
};

#[tokio::test]
async fn the_handshake_answers_the_key_selects_a_protocol_and_carries_extra_headers() {
    let server = Server::start(bellwire()).await;
    let offer = [
        HANDSHAKE,
        &[("Sec-WebSocket-Protocol", "chat.v1, chat.v2"), ("Sec-WebSocket-Protocol", "x")],
    ]
    .concat();
    let (_, head) = server.handshake("/ws/", &offer).await;
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    // The value that RFC 6455 §1.3 computes for this key.
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    assert!(head.contains("sec-websocket-protocol: chat.v2"), "{head}");
    assert!(head.contains("x-served-by: bellwire"), "{head}");
    let (_, head) = server.handshake("/ws/", HANDSHAKE).await;
    assert!(
        !head.to_ascii_lowercase().contains("sec-websocket-protocol"),
        "none offered, none selected: {head}"
    );
}

#[tokio::test]
async fn an_invalid_handshake_is_refused_with_a_status() {
    let server = Server::start(bellwire()).await;
    let without =
        |name: &str| HANDSHAKE.iter().filter(|(n, _)| *n != name).copied().collect::<Vec<_>>();
    for (headers, status) in [
        (vec![], 426),
        (without("Upgrade"), 426),
        (without("Connection"), 426),
        (without("Sec-WebSocket-Version"), 426),
        ([without("Sec-WebSocket-Version"), vec![("Sec-WebSocket-Version", "8")]].concat(), 426),
        (without("Sec-WebSocket-Key"), 400),
        ([without("Sec-WebSocket-Key"), vec![("Sec-WebSocket-Key", "c2hvcnQ=")]].concat(), 400),
    ] {
        let (_, head) = server.handshake("/ws/", &headers).await;
        assert_eq!(&head[9..12], status.to_string(), "{headers:?}");
    }
    let (_, head) = server.handshake("/ws/?dialect=klingon", HANDSHAKE).await;
    assert_eq!(&head[9..12], "400");
}

#[tokio::test]
async fn a_message_of_any_size_or_in_fragments_arrives_as_one() {
    let server = Server::start(bellwire()).await;
    let mut socket = server.open("/ws/").await;
    for size in [0, 1, 125, 126, 127, 60_000] {
        socket.write_all(&say(&"x".repeat(size))).await.unwrap();
        assert_eq!(read_text(&mut socket).await.len(), size);
    }
    let message = say("in two");
    let (payload, half) = (&message[6..], 10);
    let mut first = frame(TEXT, &payload[..half]);
    first[0] &= 0x7f;
    let rest = frame(0, &payload[half..]);
    socket.write_all(&[first, frame(PING, b"between"), rest].concat()).await.unwrap();
    assert_eq!(read_frame(&mut socket).await, (PONG, b"between".to_vec()));
    assert_eq!(read_text(&mut socket).await, "in two");
}

#[tokio::test]
async fn a_binary_or_empty_frame_is_answered_and_the_connection_stays_open() {
    let server = Server::start(bellwire()).await;
    let mut socket = server.open("/ws/").await;
    for invalid in [frame(BINARY, b"\x00\xff"), frame(BINARY, b""), frame(TEXT, b"")] {
        socket.write_all(&invalid).await.unwrap();
        assert!(read_text(&mut socket).await.contains("error"));
    }
    socket.write_all(&say("on")).await.unwrap();
    assert_eq!(read_text(&mut socket).await, "on");
}

#[tokio::test]
async fn a_protocol_violation_is_closed_with_its_code() {
    let mut server = Server::start(bellwire()).await;
    let too_large = frame(TEXT, &vec![b'x'; 64 * 1024 + 1]);
    let mut unmasked = frame(TEXT, b"");
    unmasked[1] &= 0x7f;
    unmasked.truncate(2);
    for (bytes, code) in [
        (too_large, 1009),
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(3, b""), 1002),
        (unmasked, 1002),
    ] {
        let mut socket = server.open("/ws/").await;
        socket.write_all(&bytes).await.unwrap();
        assert_eq!(read_close(&mut socket).await.0, code);
        server.wait_for_call(&format!("disconnect {code}")).await;
    }
}

#[tokio::test]
async fn a_close_carries_its_code_and_reason_in_both_directions() {
    let mut server = Server::start(bellwire()).await;
    let mut socket = server.open("/ws/").await;
    socket.write_all(&frame(TEXT, br#"{"action":"Leave"}"#)).await.unwrap();
    assert_eq!(read_close(&mut socket).await, (4001, "you asked for it".to_owned()));
    server.wait_for_call("disconnect 4001").await;

    let mut socket = server.open("/ws/").await;
    socket.write_all(&frame(CLOSE, &[&4242u16.to_be_bytes(), &b"bye"[..]].concat())).await.unwrap();
    assert_eq!(read_close(&mut socket).await.0, 4242);
    server.wait_for_call("disconnect 4242").await;
    let mut rest = Vec::new();
    within("the end", socket.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"", "the stream ends");
}

#[tokio::test]
async fn a_broken_connection_runs_disconnect() {
    let mut server = Server::start(bellwire()).await;
    let socket = server.open("/ws/").await;
    server.wait_for_call("connect").await;
    drop(socket);
    server.wait_for_call("disconnect 1006").await;
}

#[tokio::test]
async fn the_number_of_sockets_of_a_person_is_limited() {
    let limits = Limits { sockets_per_person: 2, ..Limits::default() };
    let mut server = Server::start(with_limits(limits)).await;
    let first = server.open("/ws/?greet").await;
    let mut second = server.open("/ws/?greet").await;
    assert_eq!(read_text(&mut second).await, "Hello");
    server.wait_for_call("connect").await;
    let (_, head) = server.handshake("/ws/", HANDSHAKE).await;
    assert!(head.starts_with("HTTP/1.1 429"), "{head}");
    drop(first);
    server.wait_for_call("disconnect 1006").await;
    server.open("/ws/").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_to_1000_members_costs_one_encoding_and_at_most_one_write_per_member() {
    const MEMBERS: usize = 1000;
    let limits = Limits { sockets_per_person: MEMBERS, ..Limits::default() };
    let server = Server::start(with_limits(limits)).await;
    let mut sockets = Vec::with_capacity(MEMBERS);
    for _ in 0..MEMBERS {
        let mut socket = server.open("/ws/?dialect=htmx&greet").await;
        assert_eq!(read_text(&mut socket).await, "Hello");
        sockets.push(socket);
    }
    let before = server.bellwire.layer().counts();
    server.bellwire.layer().group(room()).patch(Patch::append("#messages-list", Html::text("Hi")));
    for socket in &mut sockets {
        let expected = "<div hx-swap-oob=\"beforeend:#messages-list\">Hi</div>";
        assert_eq!(read_text(socket).await, expected);
    }
    let after = server.bellwire.layer().counts();
    assert_eq!(after.sends - before.sends, 1);
    assert_eq!(after.encodings - before.encodings, 1);
    assert_eq!(after.deliveries - before.deliveries, MEMBERS as u64);
    assert!(after.writes - before.writes <= MEMBERS as u64, "{before:?} {after:?}");
}

#[tokio::test]
async fn all_queued_messages_of_a_socket_are_sent_in_one_write() {
    let server = Server::start(bellwire()).await;
    let mut socket = server.open("/ws/?greet").await;
    assert_eq!(read_text(&mut socket).await, "Hello");
    let before = server.bellwire.layer().counts().writes;
    // The test's runtime has one thread, so the connection's event loop does not run between these.
    let group = server.bellwire.layer().group(room());
    for i in 0..256 {
        group.patch(Patch::inner("#n", Html::text(&i.to_string())));
    }
    for i in 0..256 {
        assert!(read_text(&mut socket).await.contains(&format!("\"{i}\"")));
    }
    assert_eq!(server.bellwire.layer().counts().writes - before, 1);
}

#[tokio::test]
async fn a_close_without_a_code_is_answered_and_runs_disconnect() {
    let mut server = Server::start(bellwire()).await;
    for (payload, call) in
        [(vec![], "disconnect 1005"), (1001u16.to_be_bytes().to_vec(), "disconnect 1001")]
    {
        let mut socket = server.open("/ws/").await;
        socket.write_all(&frame(CLOSE, &payload)).await.unwrap();
        assert_eq!(read_frame(&mut socket).await, (CLOSE, payload));
        server.wait_for_call(call).await;
    }
    assert_eq!(server.bellwire.layer().local_sockets(), 0);
}

fn fragment(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut fragment = frame(opcode, payload);
    fragment[0] &= 0x7f;
    fragment
}

#[tokio::test]
async fn fragments_that_exceed_the_message_size_are_closed_with_1009_and_never_delivered() {
    let mut server = Server::start(bellwire()).await;
    let mut socket = server.open("/ws/").await;
    let start = br#"{"action":"Say","data":{"message":""#;
    let bytes =
        [fragment(TEXT, start), fragment(0, &[b'x'; 65_500]), frame(0, br#"z"}}"#)].concat();
    socket.write_all(&bytes).await.unwrap();
    assert_eq!(read_close(&mut socket).await.0, 1009);
    server.wait_for_call("disconnect 1009").await;
}

#[tokio::test]
async fn a_message_in_endless_fragments_is_closed_with_1008() {
    let server = Server::start(with_limits(Limits { fragments: 100, ..Limits::default() })).await;
    let mut socket = server.open("/ws/").await;
    socket.write_all(&fragment(TEXT, b"")).await.unwrap();
    for _ in 0..100 {
        socket.write_all(&[fragment(0, b""), frame(PING, b"")].concat()).await.unwrap();
    }
    loop {
        match read_frame(&mut socket).await {
            (PONG, _) => {}
            (CLOSE, payload) => {
                assert_eq!(payload, [&1008u16.to_be_bytes(), &b"too many fragments"[..]].concat());
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn text_that_ends_inside_a_character_is_closed_with_1007() {
    let server = Server::start(bellwire()).await;
    for bytes in [
        frame(TEXT, b"a\xe2\x82"),
        [fragment(TEXT, b"a\xe2\x82"), frame(0, b"")].concat(),
        [fragment(TEXT, b"a\xe2"), frame(0, b"\x28")].concat(),
    ] {
        let mut socket = server.open("/ws/").await;
        socket.write_all(&bytes).await.unwrap();
        assert_eq!(read_close(&mut socket).await.0, 1007, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_flood_of_pings_is_closed_with_1008() {
    let server = Server::start(with_limits(Limits { action_burst: 20, ..Limits::default() })).await;
    let mut socket = server.open("/ws/").await;
    let flood = frame(PING, b"").repeat(500);
    socket.write_all(&flood).await.unwrap();
    loop {
        match read_frame(&mut socket).await {
            (PONG, _) => {}
            (CLOSE, payload) => {
                assert_eq!(&payload[2..], b"too many pings");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn concurrent_handshakes_do_not_exceed_the_limit() {
    let server =
        Server::start(with_limits(Limits { sockets_per_person: 5, ..Limits::default() })).await;
    let handshakes = (0..30).map(|_| server.handshake("/ws/", HANDSHAKE));
    let answers = futures_util::future::join_all(handshakes).await;
    let open = answers.iter().filter(|(_, head)| head.starts_with("HTTP/1.1 101")).count();
    assert_eq!(open, 5);
    assert!(
        answers
            .iter()
            .all(|(_, head)| head.starts_with("HTTP/1.1 101") || head.starts_with("HTTP/1.1 429"))
    );
}

#[tokio::test]
async fn a_reader_that_never_reads_is_disconnected_without_affecting_others() {
    let limits = Limits {
        write: std::time::Duration::from_secs(1),
        queue_messages: 64,
        ..Limits::default()
    };
    let mut server = Server::start(with_limits(limits)).await;
    let stuck = server.open("/ws/").await;
    server.wait_for_call("connect").await;
    let mut reader = server.open("/ws/").await;
    server.wait_for_call("connect").await;
    let group = server.bellwire.layer().group(room());
    // The kernel buffers some megabytes for a client that does not read.
    let text = "x".repeat(60_000);
    let mut received = 0;
    let publish = async {
        while server.bellwire.layer().local_members(room()) == 2 {
            group.patch(Patch::inner("#n", Html::text(&text)));
            let text = read_text(&mut reader).await;
            assert!(text.contains("xxx"), "the other reader is not affected");
            received += 1;
        }
    };
    eventually("the end of the stuck reader", publish).await;
    assert!(received > 10, "{received}");
    server.wait_for_call("disconnect 1013").await;
    drop(stuck);
}

#[tokio::test]
async fn a_uri_that_is_too_long_is_refused_with_414() {
    let most = 4096;
    let server = Server::start(bellwire()).await;
    let path = |length: usize| format!("/ws/?{}", "x".repeat(length - "/ws/".len()));
    let (_, head) = server.handshake(&path(most), HANDSHAKE).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    for length in [most + 1, 60_000] {
        let (_, head) = server.handshake(&path(length), HANDSHAKE).await;
        assert!(head.starts_with("HTTP/1.1 414"), "{length}: {head}");
    }
}
