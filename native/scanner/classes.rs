//! What may stand in a variable place of a shape: the longest run of certain bytes, and a condition on the run.
#![forbid(unsafe_code)]

use crate::spec::Reader;

pub struct Class {
    allowed: [bool; 256],
    shortest: usize,
    longest: usize,
    sound: fn(&[u8]) -> bool,
    /// Where there are some, the run is one of them.
    words: Vec<Vec<u8>>,
    /// With some, the run is all of the line but so many bytes.
    spare: usize,
}

impl Class {
    /// Letters are bytes and ranges such as a-z; a hyphen stands last.
    pub fn read(from: &mut Reader) -> Option<Self> {
        let letters = from.text()?;
        let (shortest, longest) = (from.number()? as usize, from.number()? as usize);
        let (condition, spare) = (from.number()?, from.number()? as usize);
        let mut words = Vec::new();
        for _ in 0..from.number()? {
            words.push(from.text()?.to_vec());
        }
        let mut allowed = [false; 256];
        let mut at = 0;
        while at < letters.len() {
            let first = letters[at];
            let last = match letters.get(at + 1..at + 3) {
                Some([b'-', last]) => {
                    at += 2;
                    *last
                }
                _ => first,
            };
            for byte in first..=last {
                allowed[byte as usize] = true;
            }
            at += 1;
        }
        let sound: fn(&[u8]) -> bool = match condition {
            0 => |_| true,
            1 => is_address,
            2 => |run| run != b"NOQUEUE",
            3 => |run| run.last() != Some(&b' ') && !may_be_masked(run),
            4 => are_counters,
            _ => return None,
        };
        Some(Class { allowed, shortest, longest, sound, words, spare })
    }

    /// The end of the run that starts at `begin`; None where there is none of this class.
    #[inline]
    pub fn end(&self, line: &[u8], begin: usize) -> Option<usize> {
        let rest = line.get(begin..line.len().checked_sub(self.spare)?)?;
        let length = rest.iter().position(|&byte| !self.allowed[byte as usize]).unwrap_or(rest.len());
        let run = &rest[..length];
        let whole = self.spare == 0 || length == rest.len();
        let fits = whole && length >= self.shortest && length <= self.longest && (self.sound)(run);
        (fits && (self.words.is_empty() || self.words.iter().any(|word| word == run))).then(|| begin + length)
    }
}

/// Free text in which a password might stand is left: masking is done in one place.
fn may_be_masked(run: &[u8]) -> bool {
    const HINTS: [&[u8]; 9] = [b"api", b"ass", b"auth", b"oken", b"resp", b"login", b"secret", b"bearer", b"cookie"];
    (0..run.len()).any(|at| {
        HINTS.iter().any(|hint| {
            run[at] | 32 == hint[0] && run.get(at..at + hint.len()).map_or(false, |part| part.eq_ignore_ascii_case(hint))
        })
    })
}

/// `mail=1 rcpt=0/2`, none of them one that tells more than how often.
fn are_counters(run: &[u8]) -> bool {
    run.split(|&byte| byte == b' ').all(|one| {
        let named = one.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_').count();
        let (name, count) = one.split_at(named);
        let told = count.len() > 1 && count[0] == b'=' && count[1..].iter().all(|&b| b.is_ascii_digit() || b == b'/');
        named > 0 && told && !matches!(name, b"auth" | b"starttls" | b"ehlo" | b"helo")
    })
}

/// In its only spelling: four decimal numbers, or the shortest form of RFC 5952 that is not an IPv4-mapped address.
fn is_address(text: &[u8]) -> bool {
    if text.contains(&b':') {
        is_v6(text)
    } else {
        is_v4(text)
    }
}

fn is_v4(text: &[u8]) -> bool {
    let mut parts = 0;
    for part in text.split(|&byte| byte == b'.') {
        parts += 1;
        let value = match *part {
            [a] => digit(a),
            [a, b] if a != b'0' => digit(a) * 10 + digit(b),
            [a, b, c] if a != b'0' => digit(a) * 100 + digit(b) * 10 + digit(c),
            _ => return false,
        };
        if value > 255 {
            return false;
        }
    }
    parts == 4
}

fn digit(byte: u8) -> u32 {
    if byte.is_ascii_digit() {
        u32::from(byte - b'0')
    } else {
        1000
    }
}

/// The standard library prints the shortest form, so a text is in it when it survives reading and printing.
fn is_v6(text: &[u8]) -> bool {
    use std::fmt::Write;
    let parsed = std::str::from_utf8(text).ok().and_then(|one| one.parse::<std::net::Ipv6Addr>().ok());
    let address = match parsed {
        Some(address) => address,
        None => return false,
    };
    let words = address.segments();
    if words[..5] == [0; 5] {
        return false; // mapped and compatible ones are printed with an IPv4 tail, and other libraries differ
    }
    let mut shown = Shown { text: [0; 48], length: 0 };
    write!(shown, "{}", address).is_ok() && &shown.text[..shown.length] == text
}

struct Shown {
    text: [u8; 48],
    length: usize,
}

impl std::fmt::Write for Shown {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        let end = self.length + part.len();
        self.text.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }
}
