//! Decoder of short messages: texts and pongs that arrive complete in one frame, as most do. Taking
//! them here saves a protocol reader per socket. Other messages are left to the protocol library:
//! longer, fragmented, binary and invalid ones.

use bytes::Buf;

/// RFC 6455 §5.2: the opcodes of a text and a pong, with the FIN bit.
const TEXT: u8 = 0x81;
const PONG: u8 = 0x8a;
const MASKED: u8 = 0x80;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ShortMessage {
    Text(String),
    Pong,
}

/// Takes a text of at most `limit` bytes, or a pong, from the front of `bytes`. Returns `None`, and
/// leaves `bytes` unchanged, unless it is complete and valid.
pub(crate) fn take_short(bytes: &mut impl Buf, limit: usize) -> Option<ShortMessage> {
    let (short, length) = read(bytes.chunk(), limit)?;
    bytes.advance(length);
    Some(short)
}

fn read(bytes: &[u8], limit: usize) -> Option<(ShortMessage, usize)> {
    let (first, length) = (*bytes.first()?, (*bytes.get(1)?).checked_sub(MASKED)?);
    let (length, start) = match length {
        0..=125 => (usize::from(length), 2),
        126 if first == TEXT => {
            let length = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
            // A length that fits in fewer bytes is left to the library.
            (usize::from(Some(length).filter(|length| *length > 125)?), 4)
        }
        _ => return None,
    };
    let mask = *bytes.get(start..)?.first_chunk()?;
    let end = start + 4 + length;
    let payload = bytes.get(start + 4..end)?;
    match first {
        TEXT if length <= limit => {
            let mut text = payload.to_vec();
            unmask(&mut text, mask);
            Some((ShortMessage::Text(String::from_utf8(text).ok()?), end))
        }
        PONG => Some((ShortMessage::Pong, end)),
        _ => None,
    }
}

/// Unmasks a payload (RFC 6455 §5.3) by words, which the compiler vectorizes: byte by byte it was
/// 1 % of the cost of a message.
fn unmask(bytes: &mut [u8], key: [u8; 4]) {
    let (whole, rest) = bytes.as_chunks_mut::<4>();
    let key = u32::from_ne_bytes(key);
    for four in whole {
        *four = (u32::from_ne_bytes(*four) ^ key).to_ne_bytes();
    }
    rest.iter_mut().zip(key.to_ne_bytes()).for_each(|(byte, key)| *byte ^= key);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x12, 0x34, 0x56, 0x78];
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(MASKED | short as u8),
            long => {
                bytes.push(MASKED | 126);
                bytes.extend((long as u16).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    #[test]
    fn complete_texts_and_pongs_are_decoded_one_after_the_other() {
        let long = "ä".repeat(100);
        let stream = [
            frame(TEXT, b"Hello"),
            frame(PONG, b""),
            frame(TEXT, long.as_bytes()),
            frame(TEXT, b""),
        ];
        let mut stream = bytes::Bytes::from(stream.concat());
        let text = |text: &str| Some(ShortMessage::Text(text.to_owned()));
        assert_eq!(take_short(&mut stream, 1000), text("Hello"));
        assert_eq!(take_short(&mut stream, 1000), Some(ShortMessage::Pong));
        assert_eq!(take_short(&mut stream, 1000), text(&long));
        assert_eq!(take_short(&mut stream, 1000), text(""));
        assert_eq!((take_short(&mut stream, 1000), stream.len()), (None, 0));
    }

    #[test]
    fn input_other_than_a_complete_valid_text_or_pong_is_left_untouched() {
        let text = frame(TEXT, b"Hello");
        let mut unmasked = text.clone();
        unmasked[1] &= 0x7f;
        // 126 announces a length of two bytes, which a payload of five bytes does not need.
        let non_minimal = [&[TEXT, MASKED | 126, 0, 5], &text[2..]].concat();
        let others = [
            text[..text.len() - 1].to_vec(),
            text[..1].to_vec(),
            unmasked,
            non_minimal,
            frame(0x01, b"a part"),
            frame(0x80, b"the last part"),
            frame(0xc1, b"a reserved bit"),
            frame(0x82, b"binary"),
            frame(0x88, &1000_u16.to_be_bytes()),
            frame(0x89, b"a ping"),
            frame(TEXT, b"\xff"),
            frame(TEXT, &[b'x'; 1001]),
            frame(PONG, &[b'x'; 126]),
            vec![TEXT, MASKED | 127, 0, 0, 0, 0, 0, 0, 0, 1],
            Vec::new(),
        ];
        for other in others {
            let mut bytes = other.as_slice();
            assert_eq!(take_short(&mut bytes, 1000), None, "{other:x?}");
            assert_eq!(bytes, other);
        }
    }
}
