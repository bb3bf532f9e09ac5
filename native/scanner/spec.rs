//! Reading the table of shapes and the rows of the slow path, both written by Python: little-endian, lengths first.
#![forbid(unsafe_code)]

pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Reader { rest: text }
    }

    pub fn done(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub fn wide(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        self.take(length)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        if count > self.rest.len() {
            return None;
        }
        let (found, rest) = self.rest.split_at(count);
        self.rest = rest;
        Some(found)
    }
}
