//! The three usual headers: RFC 3164, the same with an ISO time, and RFC 5424. Whatever deviates is left.
#![forbid(unsafe_code)]

use std::collections::HashMap;

const SECOND: i64 = 1_000_000;
const MOST_DAYS: usize = 4096;

pub struct Heading {
    pub at: i64,
    pub host: (u32, u32),
    pub tag: (usize, usize),
    pub pid: i64,
    pub message: usize,
}

pub enum Read {
    Known(Heading),
    Left,
    NewDay(usize, usize, usize, usize),
}

/// When days begin, by their text: `Nov 24`, or `2026-11-24` with the offset behind it.
#[derive(Default)]
pub struct Days {
    known: HashMap<Vec<u8>, (i64, bool)>,
    last: Vec<u8>,
    begins: i64,
    even: bool,
}

impl Days {
    pub fn know(&mut self, day: &[u8], at: i64, even: bool) {
        if self.known.len() >= MOST_DAYS {
            self.known.clear();
        }
        self.known.insert(day.to_vec(), (at, even));
        self.last.clear();
    }

    pub fn forget(&mut self) {
        self.known.clear();
        self.last.clear();
    }

    #[inline]
    fn begin(&mut self, day: &[u8], zone: &[u8]) -> Option<(i64, bool)> {
        let split = day.len();
        if self.last.len() != split + zone.len() || &self.last[..split] != day || &self.last[split..] != zone {
            let mut key = day.to_vec();
            key.extend_from_slice(zone);
            let (begins, even) = *self.known.get(&key)?;
            self.last = key;
            self.begins = begins;
            self.even = even;
        }
        Some((self.begins, self.even))
    }
}

/// `line` without its newline.
#[inline]
pub fn read(line: &[u8], days: &mut Days) -> Read {
    read_some(line, days).unwrap_or(Read::Left)
}

fn read_some(line: &[u8], days: &mut Days) -> Option<Read> {
    let first = *line.first()?;
    if first == b'<' {
        let close = line.iter().take(5).position(|&byte| byte == b'>')?;
        let digits = &line[1..close];
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) || line.get(close + 1..close + 3)? != b"1 " {
            return None;
        }
        return dated(line, close + 3, true, days);
    }
    if first.is_ascii_digit() {
        return dated(line, 0, false, days);
    }
    let day = line.get(..6)?;
    let pad = day[4];
    let month = day[..3].iter().all(u8::is_ascii_alphabetic) && day[3] == b' ';
    if !month || !(pad == b' ' || pad.is_ascii_digit()) || !day[5].is_ascii_digit() || line.get(6) != Some(&b' ') {
        return None;
    }
    let time = clock(line, 7)?;
    if line.get(15) != Some(&b' ') {
        return None;
    }
    finish(line, (0, 6), (0, 0), time, 16, false, days)
}

fn dated(line: &[u8], begin: usize, structured: bool, days: &mut Days) -> Option<Read> {
    let day = line.get(begin..begin + 10)?;
    let digits = [0, 1, 2, 3, 5, 6, 8, 9].iter().all(|&at| day[at].is_ascii_digit());
    if !digits || day[4] != b'-' || day[7] != b'-' || line.get(begin + 10) != Some(&b'T') {
        return None;
    }
    let mut time = clock(line, begin + 11)?;
    let mut at = begin + 19;
    if line.get(at) == Some(&b'.') {
        let digits = line[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        let mut unit = SECOND / 10;
        for &byte in line[at + 1..at + 1 + digits].iter().take(6) {
            time += i64::from(byte - b'0') * unit;
            unit /= 10;
        }
        at += 1 + digits;
    }
    let zone = at;
    match line.get(at)? {
        b'Z' => at += 1,
        b'+' | b'-' => {
            let text = line.get(at + 1..at + 6)?;
            if text[2] != b':' || ![0, 1, 3, 4].iter().all(|&one| text[one].is_ascii_digit()) {
                return None;
            }
            at += 6;
        }
        _ => return None,
    }
    if line.get(at) != Some(&b' ') {
        return None;
    }
    finish(line, (begin, begin + 10), (zone, at), time, at + 1, structured, days)
}

fn finish(
    line: &[u8],
    day: (usize, usize),
    zone: (usize, usize),
    time: i64,
    begin: usize,
    structured: bool,
    days: &mut Days,
) -> Option<Read> {
    let host = run(line, begin, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))?;
    if line.get(host) != Some(&b' ') || host - begin > 64 {
        return None;
    }
    let tag = run(line, host + 1, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.'))?;
    if line.get(tag) != Some(if structured { &b' ' } else { &b'[' }) {
        return None;
    }
    let end = run(line, tag + 1, |byte| byte.is_ascii_digit())?;
    let behind: &[u8] = if structured { b" - - " } else { b"]: " };
    if end - tag > 10 || line.get(end..end + behind.len())? != behind {
        return None;
    }
    let pid = line[tag + 1..end].iter().fold(0, |sum: i64, byte| sum * 10 + i64::from(byte - b'0'));
    if pid > i64::from(i32::MAX) {
        return None;
    }
    Some(match days.begin(&line[day.0..day.1], &line[zone.0..zone.1]) {
        None => Read::NewDay(day.0, day.1, zone.0, zone.1),
        Some((_, false)) => Read::Left,
        Some((begins, true)) => Read::Known(Heading {
            at: begins + time,
            host: (begin as u32, host as u32),
            tag: (host + 1, tag),
            pid,
            message: end + behind.len(),
        }),
    })
}

/// Microseconds since midnight; a leap second is left.
fn clock(line: &[u8], begin: usize) -> Option<i64> {
    let text = line.get(begin..begin + 8)?;
    let two = |at: usize| -> Option<i64> {
        let (tens, ones) = (text[at], text[at + 1]);
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let (hours, minutes, seconds) = (two(0)?, two(3)?, two(6)?);
    let sound = text[2] == b':' && text[5] == b':' && hours < 24 && minutes < 60 && seconds < 60;
    sound.then(|| ((hours * 60 + minutes) * 60 + seconds) * SECOND)
}

fn run(line: &[u8], begin: usize, allowed: impl Fn(u8) -> bool) -> Option<usize> {
    let length = line.get(begin..)?.iter().take_while(|&&byte| allowed(byte)).count();
    (length > 0).then(|| begin + length)
}
