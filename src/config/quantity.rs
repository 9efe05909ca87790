//! Quantities as people write them: durations as Prometheus does (`1h30m`), sizes with a unit (`256MiB`).
//!
//! This file knows text and numbers only.

use std::time::Duration;

pub const SECOND: Duration = Duration::from_secs(1);
/// The longest window and label delay: a leap year.
pub const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// Units of a duration from the longest to the shortest, in milliseconds; a year is 365 days.
const DURATION_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

const SIZE_UNITS: [(&str, usize); 9] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A duration: whole numbers with units, longest unit first and each at most once, or `0`. `None` for anything else.
pub fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut milliseconds: u64 = 0;
    let mut units = DURATION_UNITS.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let length = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(length);
        let (_, size) = units.find(|(name, _)| *name == unit)?;
        let part = number.parse::<u64>().ok()?.checked_mul(*size)?;
        milliseconds = milliseconds.checked_add(part)?;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::from_millis(milliseconds))
}

/// A duration as [`duration`] reads it, in the fewest words: `1h30m`. Less than a millisecond is dropped.
pub fn duration_text(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in DURATION_UNITS {
        // As Prometheus prints them: years and weeks only where nothing is left over.
        let whole = matches!(unit, "y" | "w");
        if rest >= size && (!whole || rest.is_multiple_of(size)) {
            text += &format!("{}{unit}", rest / size);
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_string() } else { text }
}

/// A size in bytes: a whole number and a unit, with or without a space between.
pub fn size(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    usize::try_from(count(number)?).ok()?.checked_mul(*factor)
}

/// A size as [`size`] reads it, in the largest binary unit that leaves nothing over.
pub fn size_text(bytes: usize) -> String {
    let units = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let fitting = units.into_iter().find(|&(_, size)| bytes >= size && bytes.is_multiple_of(size));
    let (unit, size) = fitting.unwrap_or(("B", 1));
    format!("{}{unit}", bytes / size)
}

/// A whole number; `_` may stand between digits.
pub fn count(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let plain = !text.starts_with('_') && !text.ends_with('_');
    (plain && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(duration("15s"), seconds(15));
        assert_eq!(duration("1h30m"), seconds(5400));
        assert_eq!(duration("7d"), seconds(7 * 86_400));
        assert_eq!(duration("1w"), duration("7d"));
        assert_eq!(duration("1y"), duration("365d"));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1m1ms"), Some(Duration::from_millis(60_001)));
        assert_eq!(duration("0"), Some(Duration::ZERO));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
    }

    #[test]
    fn what_prometheus_refuses_is_refused() {
        for text in [
            "",
            "15",
            "s",
            "1.5h",
            "-1s",
            "1 h",
            "30m1h",
            "1s1s",
            "1H",
            "1ms1s",
            "99999999999999999999s",
            "18446744073709551615y",
            "1h30",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_survives_being_printed() {
        for text in ["15s", "1h30m", "1w", "1y", "8d", "500ms", "1m1ms", "0s", "366d", "2d12h"] {
            assert_eq!(duration_text(duration(text).unwrap()), text);
        }
        assert_eq!(duration_text(Duration::from_secs(3600)), "1h");
        assert_eq!(duration_text(Duration::from_secs(86_400)), "1d");
    }

    #[test]
    fn sizes_have_units_of_a_thousand_and_of_1024() {
        assert_eq!(size("256MiB"), Some(256 << 20));
        assert_eq!(size("256 MiB"), Some(256 << 20));
        assert_eq!(size("1GB"), Some(1_000_000_000));
        assert_eq!(size("1_000"), Some(1000));
        assert_eq!(size_text(256 << 20), "256MiB");
        assert_eq!(size_text(1_500), "1500B");
        for text in ["", "MiB", "1.5GiB", "-1", "12 apples", "1mib", "99999999999999999999", "9999999999999GiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn counts_are_whole_numbers() {
        assert_eq!(count("10_000_000"), Some(10_000_000));
        for text in ["", "_1", "1_", "1e3", "1.0", "-1", "+1", "0x10"] {
            assert_eq!(count(text), None, "{text}");
        }
    }
}
