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
            let row = self.rows as usize;
            let shape = one.shape as usize;
            for (number, value) in engine.shapes.get(shape)? {
                let column = &mut self.columns[*number];
                match value {
                    Value::Word(word) => column.word(row, *word),
                    Value::Text(text) => column.text(row, text)?,
                    Value::Number(number) => column.number(row, *number),
                    Value::Span(first, last) => {
                        let span = line.get(*places.get(*first)? as usize..*places.get(*last)? as usize)?;
                        column.span(row, span)?;
                    }
                    Value::Count(first, last) => {
                        let span = line.get(*places.get(*first)? as usize..*places.get(*last)? as usize)?;
                        column.number(row, decimal(span)?);
                    }
                }
            }
            self.columns[given.at].number(row, one.at);
            self.columns[given.host].span(row, line.get(one.host.0 as usize..one.host.1 as usize)?)?;
            if !*engine.own_pid.get(shape)? {
                self.columns[given.pid].number(row, one.pid);
            }
            self.columns[given.source].number(row, source);
            self.columns[given.offset].number(row, offset + i64::from(one.begin));
            self.rows += 1;
        }
        self.found = found;
        let rows = self.rows as usize;
        self.columns.iter_mut().for_each(|one| one.pad(rows));
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
            (2, _) if one.told < self.rows as usize => raw(&one.valid),
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
        let row = self.rows as usize;
        for column in &mut self.columns {
            match column.stored {
                Stored::Word | Stored::Text => column.span(row, from.text()?)?,
                Stored::Narrow | Stored::Wide => column.number(row, from.wide()?),
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
    /// Words met lately, by their length and last letters: most lines find theirs here.
    recent: Vec<i32>,
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    seeds: usize,
}

const RECENT: usize = 64;

impl Words {
    #[inline]
    fn word(&mut self, text: &[u8]) -> Option<i32> {
        let tail = text.iter().rev().take(3).fold(text.len(), |sum, &byte| sum * 7 + byte as usize);
        let place = tail % RECENT;
        let recent = self.recent[place];
        if self.text(recent) == Some(text) {
            return Some(recent);
        }
        let word = match self.known.get(text) {
            Some(word) => *word,
            None => self.add(text)?,
        };
        self.recent[place] = word;
        Some(word)
    }

    fn text(&self, word: i32) -> Option<&[u8]> {
        let at = word as usize;
        self.bytes.get(*self.offsets.get(at)? as usize..*self.offsets.get(at + 1)? as usize)
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
        self.recent.clear();
        self.recent.resize(RECENT, 0);
    }
}

/// One column. Rows that nothing was told of are filled up when the next one is, or at the end.
struct Filled {
    stored: Stored,
    numbers32: Vec<i32>,
    numbers64: Vec<i64>,
    bytes: Vec<u8>,
    valid: Vec<u8>,
    /// Numbers that are there.
    told: usize,
    words: Words,
}

impl Filled {
    fn new(stored: Stored, seeds: &[Vec<u8>]) -> Self {
        let mut words = Words { offsets: vec![0], seeds: seeds.len(), ..Words::default() };
        for seed in seeds {
            words.add(seed);
        }
        let (numbers32, numbers64, bytes, valid) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut one = Filled { stored, numbers32, numbers64, bytes, valid, told: 0, words };
        one.clear();
        one
    }

    fn clear(&mut self) {
        self.numbers32.clear();
        self.numbers64.clear();
        self.bytes.clear();
        self.valid.clear();
        self.told = 0;
        if self.stored == Stored::Text {
            self.numbers32.push(0);
        }
        self.words.clear();
    }

    #[inline]
    fn pad(&mut self, row: usize) {
        match self.stored {
            Stored::Word => self.numbers32.resize(row, 0),
            Stored::Text => {
                let end = self.numbers32.last().copied().unwrap_or(0);
                self.numbers32.resize(row + 1, end);
            }
            Stored::Narrow => self.numbers32.resize(row, 0),
            Stored::Wide => self.numbers64.resize(row, 0),
        }
        if matches!(self.stored, Stored::Narrow | Stored::Wide) {
            self.valid.resize((row + 7) / 8, 0);
        }
    }

    #[inline]
    fn word(&mut self, row: usize, word: i32) {
        self.pad(row);
        self.numbers32.push(word);
    }

    #[inline]
    fn span(&mut self, row: usize, text: &[u8]) -> Option<()> {
        if self.stored == Stored::Word {
            let word = self.words.word(text)?;
            self.word(row, word);
            return Some(());
        }
        self.text(row, text)
    }

    #[inline]
    fn text(&mut self, row: usize, text: &[u8]) -> Option<()> {
        self.pad(row);
        self.bytes.extend_from_slice(text);
        self.numbers32.push(i32::try_from(self.bytes.len()).ok()?);
        Some(())
    }

    #[inline]
    fn number(&mut self, row: usize, number: i64) {
        if number == NONE {
            return;
        }
        self.pad(row);
        if self.stored == Stored::Wide {
            self.numbers64.push(number);
        } else {
            self.numbers32.push(number as i32);
        }
        let (byte, bit) = (row / 8, row % 8);
        if byte >= self.valid.len() {
            self.valid.push(0);
        }
        self.valid[byte] |= 1 << bit;
        self.told += 1;
    }
}

/// Eight bytes at a time: a byte of `word` is zero where the newline is.
fn newline(lines: &[u8], begin: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const NEWLINES: u64 = ONES * b'\n' as u64;
    let mut at = begin;
    let mut words = lines[begin..].chunks_exact(8);
    for word in &mut words {
        let word = u64::from_le_bytes(word.try_into().unwrap_or([0; 8])) ^ NEWLINES;
        let found = word.wrapping_sub(ONES) & !word & HIGHS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    words.remainder().iter().position(|&byte| byte == b'\n').map_or(lines.len(), |more| at + more)
}

fn decimal(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0i64, |sum, &byte| {
        sum.checked_mul(10)?.checked_add(i64::from(byte.checked_sub(b'0').filter(|&one| one < 10)?))
    })
}

fn raw<T>(values: &[T]) -> (*const u8, usize) {
    (values.as_ptr().cast::<u8>(), std::mem::size_of_val(values))
}
