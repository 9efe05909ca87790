//! Frames: values in a stream of bytes, each with its length in front, so that only one of them is there twice at a time.
//!
//! What is read must be known to be what was written: a checksum is the business of who opens the stream.

use std::io::{Error, ErrorKind, Read, Result, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Puts values into a stream.
pub struct Writer<'a> {
    to: &'a mut dyn Write,
    frame: Vec<u8>,
}

/// Takes them out again, in the same order.
pub struct Reader<'a> {
    from: &'a mut dyn Read,
    frame: Vec<u8>,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl<'a> Writer<'a> {
    pub fn new(to: &'a mut dyn Write) -> Writer<'a> {
        Writer { to, frame: Vec::new() }
    }

    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.frame.clear();
        self.frame = postcard::to_extend(value, std::mem::take(&mut self.frame)).map_err(Error::other)?;
        self.to.write_all(&(self.frame.len() as u64).to_le_bytes())?;
        self.to.write_all(&self.frame)
    }
}

impl<'a> Reader<'a> {
    pub fn new(from: &'a mut dyn Read) -> Reader<'a> {
        Reader { from, frame: Vec::new() }
    }

    /// `Err`: the stream is over, or holds something else.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut length = [0; 8];
        self.from.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        self.frame.clear();
        self.from.take(length).read_to_end(&mut self.frame)?;
        if self.frame.len() as u64 != length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        postcard::from_bytes(&self.frame).map_err(|error| Error::new(ErrorKind::InvalidData, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_as_they_went_in_to_the_last_bit() {
        let numbers = [0.1 + 0.2, -0.0, f64::INFINITY, f64::MIN_POSITIVE];
        let mut bytes = Vec::new();
        let mut out = Writer::new(&mut bytes);
        out.put(&("name", u64::MAX)).unwrap();
        out.put(&numbers[..]).unwrap();
        let mut bytes = bytes.as_slice();
        let mut back = Reader::new(&mut bytes);
        assert_eq!(back.take::<(String, u64)>().unwrap(), ("name".to_string(), u64::MAX));
        let found: Vec<f64> = back.take().unwrap();
        assert_eq!(found.iter().map(|n| n.to_bits()).collect::<Vec<_>>(), numbers.map(f64::to_bits));
        assert_eq!(back.take::<u8>().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_length_that_lies_and_bytes_that_mean_nothing_are_errors() {
        for bytes in [&[255; 12][..], &[2, 0, 0, 0, 0, 0, 0, 0, 200, 200]] {
            assert!(Reader::new(&mut &*bytes).take::<(String, u64)>().is_err());
        }
    }
}
