//! The shapes of messages, as a tree for each tag: literal texts and variable places, tried in the order of the table.
#![forbid(unsafe_code)]

use crate::classes::Class;
use crate::spec::Reader;
use std::collections::HashMap;

/// Places of a shape, its end included.
pub const PLACES: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Word,
    Text,
    Narrow,
    Wide,
}

#[derive(Clone)]
pub enum Value {
    Word(i32),
    Text(Vec<u8>),
    Number(i64),
    Span(usize, usize),
    Count(usize, usize),
}

pub struct Column {
    pub stored: Stored,
    /// Words every batch begins with; the empty one is the first.
    pub words: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    Any(usize),
    /// The text of an earlier piece again.
    Again(usize),
}

#[derive(Default)]
struct Node {
    ways: Vec<(Piece, usize)>,
    shape: Option<usize>,
}

/// The five columns that the header and the position decide.
#[derive(Clone, Copy)]
pub struct Given {
    pub at: usize,
    pub host: usize,
    pub pid: usize,
    pub source: usize,
    pub offset: usize,
}

pub struct Engine {
    pub columns: Vec<Column>,
    pub given: Given,
    /// For each shape the columns that are not empty, and what they hold.
    pub shapes: Vec<Vec<(usize, Value)>>,
    /// For each shape whether its messages tell another process number than the header.
    pub own_pid: Vec<bool>,
    /// The daemon of each shape, for counting.
    pub counted: Vec<usize>,
    classes: Vec<Class>,
    nodes: Vec<Node>,
    tags: HashMap<Vec<u8>, usize>,
}

impl Engine {
    pub fn read(table: &[u8]) -> Option<Self> {
        let mut from = Reader::new(table);
        let mut columns = Vec::new();
        for _ in 0..from.number()? {
            columns.push(column(&mut from)?);
        }
        let mut place = || from.number().map(|one| one as usize).filter(|&one| one < columns.len());
        let given = Given { at: place()?, host: place()?, pid: place()?, source: place()?, offset: place()? };
        let mut classes = Vec::new();
        for _ in 0..from.number()? {
            classes.push(Class::read(&mut from)?);
        }
        let mut engine = Engine {
            columns,
            given,
            shapes: Vec::new(),
            own_pid: Vec::new(),
            counted: Vec::new(),
            classes,
            nodes: Vec::new(),
            tags: HashMap::new(),
        };
        while !from.done() {
            engine.shape(&mut from)?;
        }
        Some(engine)
    }

    #[inline]
    pub fn tag(&self, tag: &[u8]) -> Option<usize> {
        self.tags.get(tag).copied()
    }

    /// The shape of a message and where its places begin.
    #[inline]
    pub fn shape_of(&self, root: usize, line: &[u8], begin: usize, places: &mut [u32; PLACES]) -> Option<(usize, usize)> {
        self.walk(root, line, begin, 0, places)
    }

    fn walk(
        &self,
        node: usize,
        line: &[u8],
        at: usize,
        depth: usize,
        places: &mut [u32; PLACES],
    ) -> Option<(usize, usize)> {
        *places.get_mut(depth)? = at as u32;
        let node = self.nodes.get(node)?;
        if at == line.len() {
            return node.shape.map(|shape| (shape, depth + 1));
        }
        for (piece, next) in &node.ways {
            let end = match piece {
                Piece::Literal(text) if line[at..].starts_with(text) => Some(at + text.len()),
                Piece::Literal(_) => None,
                Piece::Again(piece) => {
                    let (begin, end) = (*places.get(*piece)? as usize, *places.get(*piece + 1)? as usize);
                    let text = line.get(begin..end)?;
                    line[at..].starts_with(text).then(|| at + text.len())
                }
                Piece::Any(class) => self.classes.get(*class)?.end(line, at),
            };
            if let Some(found) = end.and_then(|end| self.walk(*next, line, end, depth + 1, places)) {
                return Some(found);
            }
        }
        None
    }

    fn shape(&mut self, from: &mut Reader) -> Option<()> {
        let tag = from.text()?;
        let known = self.tags.get(tag).copied();
        let mut node = match known {
            Some(node) => node,
            None => {
                let fresh = self.node();
                self.tags.insert(tag.to_vec(), fresh);
                fresh
            }
        };
        let counted = from.number()? as usize;
        let pieces = from.number()? as usize;
        for number in 0..pieces {
            let piece = match from.number()? {
                0 => Piece::Literal(from.text()?.to_vec()),
                2 => Piece::Again(Some(from.number()? as usize).filter(|&one| one < number)?),
                1 => Piece::Any(Some(from.number()? as usize).filter(|&one| one < self.classes.len())?),
                _ => return None,
            };
            node = self.step(node, piece);
        }
        let mut values = Vec::new();
        for _ in 0..from.number()? {
            let column = from.number()? as usize;
            values.push((column, self.value(column, pieces, from)?));
        }
        let (given, count) = (self.given, self.columns.len());
        let fixed = [given.at, given.host, given.source, given.offset];
        if values.iter().any(|(column, _)| fixed.contains(column) || *column >= count) {
            return None;
        }
        self.own_pid.push(values.iter().any(|(column, _)| *column == given.pid));
        let number = self.shapes.len();
        self.nodes[node].shape.get_or_insert(number);
        self.shapes.push(values);
        self.counted.push(counted);
        (pieces < PLACES).then(|| ())
    }

    fn value(&self, column: usize, pieces: usize, from: &mut Reader) -> Option<Value> {
        let stored = self.columns.get(column)?.stored;
        let way = from.number()?;
        Some(match (way, stored) {
            (0, Stored::Word) => {
                let text = from.text()?;
                Value::Word(self.columns[column].words.iter().position(|word| word == text)? as i32)
            }
            (0, Stored::Text) => Value::Text(from.text()?.to_vec()),
            (1, Stored::Narrow) | (1, Stored::Wide) => Value::Number(from.wide()?),
            (2, _) => {
                let (first, last) = (from.number()? as usize, from.number()? as usize);
                if first >= last || last > pieces {
                    return None;
                }
                match stored {
                    Stored::Word | Stored::Text => Value::Span(first, last),
                    _ => Value::Count(first, last),
                }
            }
            _ => return None,
        })
    }

    fn step(&mut self, node: usize, piece: Piece) -> usize {
        let found = self.nodes[node].ways.iter().find(|(one, _)| *one == piece).map(|(_, next)| *next);
        found.unwrap_or_else(|| {
            let fresh = self.node();
            self.nodes[node].ways.push((piece, fresh));
            fresh
        })
    }

    fn node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }
}

fn column(from: &mut Reader) -> Option<Column> {
    let stored = match from.number()? {
        0 => Stored::Word,
        1 => Stored::Text,
        2 => Stored::Narrow,
        3 => Stored::Wide,
        _ => return None,
    };
    let mut words = Vec::new();
    for _ in 0..from.number()? {
        words.push(from.text()?.to_vec());
    }
    let sound = stored != Stored::Word || words.first().map_or(false, Vec::is_empty);
    sound.then(|| Column { stored, words })
}
