//! The checkpoint: what a run held of the rows it has read, and how far it has read, in one file beside its cursors.
//!
//! It is written whole or not at all, and believed only when every byte is as it was written and by the same release under the
//! same settings and references. It knows no clock, and nothing of what it keeps.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Result, Seek, Write, sink};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3Default;

use super::cursor::{StateError, whole};
use crate::frame::{Reader, Writer};

const MAGIC: &[u8; 8] = b"DRIFTWIN";

/// Magic and digest in front, the checksum behind.
const ENDS: u64 = 24;

/// Passes bytes on, and sums them up.
struct Summing<T> {
    to: T,
    sum: Xxh3Default,
}

impl<T> Summing<T> {
    fn new(to: T) -> Summing<T> {
        Summing { to, sum: Xxh3Default::new() }
    }
}

impl<T: Write> Write for Summing<T> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.to.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.to.flush()
    }
}

/// Writes what `fill` puts. `digest`: what must be equal for it to be of use again.
pub fn save(
    path: &Path,
    digest: u64,
    fill: impl FnOnce(&mut Writer) -> Result<()>,
) -> std::result::Result<(), StateError> {
    let written = whole(path, |file| {
        let mut out = Summing::new(BufWriter::with_capacity(1 << 20, file));
        out.write_all(MAGIC)?;
        out.write_all(&digest.to_le_bytes())?;
        fill(&mut Writer::new(&mut out))?;
        let sum = out.sum.digest();
        out.to.write_all(&sum.to_le_bytes())?;
        out.flush()
    });
    written.map_err(|source| StateError::Write { path: path.to_path_buf(), source })
}

/// Gives what was written to `take`. `Ok(false)`: there is no checkpoint. After an error `take` may have taken a part.
pub fn load(
    path: &Path,
    digest: u64,
    take: impl FnOnce(&mut Reader) -> Result<()>,
) -> std::result::Result<bool, StateError> {
    let unreadable = |source| StateError::Read { path: path.to_path_buf(), source };
    let damaged = |what| StateError::Damaged { path: path.to_path_buf(), what };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unreadable(error)),
    };
    let size = file.metadata().map_err(unreadable)?.len();
    if size < ENDS {
        return Err(damaged("too short"));
    }
    let mut all = Summing::new(sink());
    std::io::copy(&mut (&mut file).take(size - 8), &mut all).map_err(unreadable)?;
    let mut sum = [0; 8];
    file.read_exact(&mut sum).map_err(unreadable)?;
    if all.sum.digest().to_le_bytes() != sum {
        return Err(damaged("its checksum does not fit"));
    }
    file.rewind().map_err(unreadable)?;
    let mut head = [0; 16];
    file.read_exact(&mut head).map_err(unreadable)?;
    if head[..8] != MAGIC[..] {
        return Err(damaged("it is something else"));
    }
    if head[8..] != digest.to_le_bytes() {
        return Err(StateError::Foreign { path: path.to_path_buf() });
    }
    let mut body = BufReader::with_capacity(1 << 20, file.take(size - ENDS));
    take(&mut Reader::new(&mut body)).map_err(|_| damaged("it holds something else"))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_under_the_same_digest_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/model.windows");
        assert!(!load(&path, 7, |_| unreachable!()).unwrap());
        save(&path, 7, |out| out.put(&(1.5, "rows"))).unwrap();
        let mut found = None;
        let take = |from: &mut Reader| {
            found = Some(from.take::<(f64, String)>()?);
            Ok(())
        };
        assert!(load(&path, 7, take).unwrap());
        assert_eq!(found, Some((1.5, "rows".to_string())));
        let other = load(&path, 8, |_| unreachable!()).unwrap_err().to_string();
        assert!(other.contains("other settings, another reference or another release"), "{other}");
    }

    #[test]
    fn a_file_that_is_not_as_it_was_written_is_never_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.windows");
        save(&path, 7, |out| out.put(&vec![3u64; 100])).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let cuts = [0, 5, 23, 24, whole.len() / 2, whole.len() - 1].map(|cut| whole[..cut].to_vec());
        let flips = (0..whole.len()).map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            flipped
        });
        for bytes in cuts.into_iter().chain(flips) {
            std::fs::write(&path, bytes).unwrap();
            let error = load(&path, 7, |_| unreachable!()).unwrap_err();
            assert!(matches!(error, StateError::Damaged { .. }), "{error}");
        }
    }
}
