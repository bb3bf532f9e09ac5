//! The columns of one batch, laid out as Arrow wants them, in memory that is used again.
#![forbid(unsafe_code)]

use crate::engine::{Engine, Stored, Value, PLACES};
use crate::heading::{read, Days, Read};
use crate::spec::Reader;
use std::collections::HashMap;

/// In place of a number that is not there.
pub const NONE: i64 = i64::MIN;
const LEFT: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Found {
    begin: u32,
    end: u32,
    shape: u32,
    first: u32,
    host: (u32, u32),
    at: i64,
    pid: i64,
}

pub struct Batch {
    pub days: Days,
    columns: Vec<Filled>,
    found: Vec<Found>,
    places: Vec<u32>,
    /// Begin and end of each line that was left.
    left: Vec<u32>,
    /// Lines by daemon, of those recognised.
    counts: Vec<u64>,
    /// Day and zone that must be told before it goes on: four positions in the buffer.
    wanted: [u64; 4],
    rows: u64,
}

impl Batch {
    pub fn new(engine: &Engine) -> Self {
        let daemons = engine.counted.iter().max().map_or(0, |most| most + 1);
        Batch {
            days: Days::default(),
            columns: engine.columns.iter().map(|one| Filled::new(one.stored, &one.words)).collect(),
            found: Vec::new(),
            places: Vec::new(),
            left: Vec::new(),
            counts: vec![0; daemons],
            wanted: [0; 4],
            rows: 0,
        }
    }

    pub fn clear(&mut self) {
        self.found.clear();
        self.places.clear();
        self.left.clear();
        self.counts.iter_mut().for_each(|one| *one = 0);
        self.columns.iter_mut().for_each(Filled::clear);
        self.rows = 0;
    }

    pub fn recognise(&mut self, engine: &Engine, lines: &[u8], begin: usize) -> Option<i64> {
        if lines.len() >= u32::MAX as usize {
            return None;
        }
        let mut at = begin;
        let mut places = [0u32; PLACES];
        while at < lines.len() {
            let end = newline(lines, at);
            let line = lines.get(at..end)?;
            match read(line, &mut self.days) {
                Read::NewDay(day, day_end, zone, zone_end) => {
                    self.wanted = [day, day_end, zone, zone_end].map(|one| (at + one) as u64);
                    return Some(at as i64);
                }
                Read::Left => self.leave(at, end),
                Read::Known(heading) => {
                    let root = engine.tag(&line[heading.tag.0..heading.tag.1]);
                    let shape = root.and_then(|root| engine.shape_of(root, line, heading.message, &mut places));
                    match shape {
                        None => self.leave(at, end),
                        Some((shape, count)) => {
                            self.counts[engine.counted[shape]] += 1;
                            self.found.push(Found {
                                begin: at as u32,
                                end: end as u32,
                                shape: shape as u32,
                                first: self.places.len() as u32,
                                host: heading.host,
                                at: heading.at,
                                pid: heading.pid,
                            });
                            self.places.extend_from_slice(&places[..count]);
                        }
                    }
                }
            }
            at = end + 1;
        }
        Some(lines.len() as i64)
    }

    /// One row for each line; a line that was left takes the next of `rows`, or none where its row is empty.
    pub fn fill(&mut self, engine: &Engine, lines: &[u8], rows: &[u8], source: i64, offset: i64) -> Option<i64> {
        let mut slow = Reader::new(rows);
        let given = engine.given;
        let found = std::mem::take(&mut self.found);
        for one in &found {
            if one.shape == LEFT {
                if slow.number()? != 0 {
                    self.row(&mut slow)?;
                }
                continue;
            }
            let line = lines.get(one.begin as usize..one.end as usize)?;
            let places = self.places.get(one.first as usize..)?;
            let values = engine.shapes.get(one.shape as usize)?;
            for (value, column) in values.iter().zip(self.columns.iter_mut()) {
                match value {
                    Value::Word(word) => column.numbers32.push(*word),
                    Value::Text(text) => column.text(text)?,
                    Value::Number(number) => column.number(*number),
                    Value::Span(first, last) => {
                        let span = line.get(*places.get(*first)? as usize..*places.get(*last)? as usize)?;
                        column.span(span)?;
                    }
                    Value::Count(first, last) => {
                        let span = line.get(*places.get(*first)? as usize..*places.get(*last)? as usize)?;
                        column.number(decimal(span)?);
                    }
                    Value::Fixed => {}
                }
            }
            self.columns[given.at].number(one.at);
            self.columns[given.host].span(line.get(one.host.0 as usize..one.host.1 as usize)?)?;
            if let Value::Fixed = values[given.pid] {
                self.columns[given.pid].number(one.pid);
            }
            self.columns[given.source].number(source);
            self.columns[given.offset].number(offset + i64::from(one.begin));
            self.rows += 1;
        }
        self.found = found;
        slow.done().then(|| self.rows as i64)
    }

    /// Pointer and size in bytes. 0 values or offsets, 1 text, 2 validity, 3 text of the words, 4 offsets of the words;
    /// of the batch: 10 lines that were left, 11 lines by daemon, 12 the day that is wanted.
    pub fn part(&self, column: usize, what: u32) -> Option<(*const u8, usize)> {
        match what {
            10 => return Some(raw(&self.left)),
            11 => return Some(raw(&self.counts)),
            12 => return Some(raw(&self.wanted)),
            _ => {}
        }
        let one = self.columns.get(column)?;
        Some(match (what, one.stored) {
            (0, Stored::Wide) => raw(&one.numbers64),
            (0, _) => raw(&one.numbers32),
            (1, _) => raw(&one.bytes),
            (2, _) if one.missing > 0 => raw(&one.valid),
            (3, _) => raw(&one.words.bytes),
            (4, _) => raw(&one.words.offsets),
            _ => return None,
        })
    }

    fn leave(&mut self, begin: usize, end: usize) {
        self.left.extend_from_slice(&[begin as u32, end as u32]);
        self.found.push(Found { begin: 0, end: 0, shape: LEFT, first: 0, host: (0, 0), at: 0, pid: 0 });
    }

    fn row(&mut self, from: &mut Reader) -> Option<()> {
        for column in &mut self.columns {
            match column.stored {
                Stored::Word | Stored::Text => column.span(from.text()?)?,
                Stored::Narrow | Stored::Wide => column.number(from.wide()?),
            }
        }
        self.rows += 1;
        Some(())
    }
}

/// The words of one column, each once.
#[derive(Default)]
struct Words {
    known: HashMap<Vec<u8>, i32>,
    last: Vec<u8>,
    last_word: i32,
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    seeds: usize,
}

impl Words {
    #[inline]
    fn word(&mut self, text: &[u8]) -> Option<i32> {
        if self.last == text {
            return Some(self.last_word);
        }
        let word = match self.known.get(text) {
            Some(word) => *word,
            None => self.add(text)?,
        };
        self.last.clear();
        self.last.extend_from_slice(text);
        self.last_word = word;
        Some(word)
    }

    fn add(&mut self, text: &[u8]) -> Option<i32> {
        let word = self.offsets.len() as i32 - 1;
        self.bytes.extend_from_slice(text);
        self.offsets.push(i32::try_from(self.bytes.len()).ok()?);
        self.known.insert(text.to_vec(), word);
        Some(word)
    }

    /// Forget all but the words every batch begins with.
    fn clear(&mut self) {
        let seeds = self.seeds;
        self.known.retain(|_, word| (*word as usize) < seeds);
        self.offsets.truncate(seeds + 1);
        self.bytes.truncate(self.offsets.last().map_or(0, |&end| end as usize));
        self.last.clear();
        self.last_word = 0;
    }
}

struct Filled {
    stored: Stored,
    numbers32: Vec<i32>,
    numbers64: Vec<i64>,
    bytes: Vec<u8>,
    valid: Vec<u8>,
    count: usize,
    missing: usize,
    words: Words,
}

impl Filled {
    fn new(stored: Stored, seeds: &[Vec<u8>]) -> Self {
        let mut words = Words { offsets: vec![0], seeds: seeds.len(), ..Words::default() };
        for seed in seeds {
            words.add(seed);
        }
        let mut one = Filled {
            stored,
            numbers32: Vec::new(),
            numbers64: Vec::new(),
            bytes: Vec::new(),
            valid: Vec::new(),
            count: 0,
            missing: 0,
            words,
        };
        one.clear();
        one
    }

    fn clear(&mut self) {
        self.numbers32.clear();
        self.numbers64.clear();
        self.bytes.clear();
        self.valid.clear();
        self.count = 0;
        self.missing = 0;
        if self.stored == Stored::Text {
            self.numbers32.push(0);
        }
        self.words.clear();
    }

    #[inline]
    fn span(&mut self, text: &[u8]) -> Option<()> {
        if self.stored == Stored::Word {
            let word = self.words.word(text)?;
            self.numbers32.push(word);
            return Some(());
        }
        self.text(text)
    }

    #[inline]
    fn text(&mut self, text: &[u8]) -> Option<()> {
        self.bytes.extend_from_slice(text);
        self.numbers32.push(i32::try_from(self.bytes.len()).ok()?);
        Some(())
    }

    #[inline]
    fn number(&mut self, number: i64) {
        let there = number != NONE;
        let value = if there { number } else { 0 };
        if self.stored == Stored::Wide {
            self.numbers64.push(value);
        } else {
            self.numbers32.push(value as i32);
        }
        let bit = self.count & 7;
        if bit == 0 {
            self.valid.push(0);
        }
        if let Some(last) = self.valid.last_mut() {
            *last |= u8::from(there) << bit;
        }
        self.count += 1;
        self.missing += usize::from(!there);
    }
}

fn newline(lines: &[u8], begin: usize) -> usize {
    lines[begin..].iter().position(|&byte| byte == b'\n').map_or(lines.len(), |at| begin + at)
}

fn decimal(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0i64, |sum, &byte| {
        sum.checked_mul(10)?.checked_add(i64::from(byte.checked_sub(b'0').filter(|&one| one < 10)?))
    })
}

fn raw<T>(values: &[T]) -> (*const u8, usize) {
    (values.as_ptr().cast::<u8>(), std::mem::size_of_val(values))
}
