//! Numbers, times and names as the page writes them. Everything that comes from data passes through [`escaped`].

use crate::report::Moment;

/// Names, reasons and problems are cut here.
const CHARS_MAX: usize = 1000;

/// Text that stays text in HTML, wherever it came from.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(2 * CHARS_MAX));
    for (i, c) in text.chars().enumerate() {
        if i == CHARS_MAX {
            out.push('…');
            break;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A name from the data, kept from turning the text around it.
pub fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

/// Thousands apart, by narrow spaces.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `1 234 rows`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// Three decimals, or three digits.
pub fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.0005 {
        format!("{value:.1e}")
    } else if value.abs() < 100.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.0}")
    }
}

pub fn dash(value: Option<f64>, written: impl Fn(f64) -> String) -> String {
    value.map_or("–".to_string(), written)
}

pub fn percent(ratio: f64) -> String {
    format!("{:.1} %", 100.0 * ratio)
}

/// `2026-11-23 10:56:44 UTC`.
pub fn moment(at: Moment) -> String {
    format!("{} UTC", second(at))
}

/// From the first to the second; the day once where it is the same.
pub fn span(start: Moment, end: Moment) -> String {
    let (first, last) = (second(start), second(end));
    let day = first.split_once(' ').map_or("", |(day, _)| day);
    let last = last.strip_prefix(day).unwrap_or(&last).trim_start();
    format!("{first} to {last} UTC")
}

fn second(at: Moment) -> String {
    let text = at.to_string().replace('T', " ");
    text.split(['.', 'Z']).next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_and_ends() {
        assert_eq!(escaped("<b a='1' c=\"2\">&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
        assert_eq!(escaped(&"é".repeat(5000)).chars().count(), CHARS_MAX + 1);
        assert_eq!(name("\u{202e}x"), "<bdi>\u{202e}x</bdi>");
    }

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!([grouped(7), grouped(1234), grouped(1234567)], ["7", "1\u{202f}234", "1\u{202f}234\u{202f}567"]);
        assert_eq!([counted(0, "row"), counted(1, "row"), counted(2, "row")], ["0 rows", "1 row", "2 rows"]);
    }

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        let told = [0.0, 0.665_4, 0.000_012, 99.5, 12345.6, -0.25].map(short);
        assert_eq!(told, ["0.000", "0.665", "1.2e-5", "99.500", "12346", "-0.250"]);
    }

    #[test]
    fn a_day_is_named_once() {
        let second = |seconds: i64| Moment(seconds * 1_000_000);
        assert_eq!(moment(Moment(1_750_000_000_250_000)), "2025-06-15 15:06:40 UTC");
        assert_eq!(moment(second(1_750_000_000)), "2025-06-15 15:06:40 UTC");
        assert_eq!(span(second(1_750_000_000), second(1_750_000_060)), "2025-06-15 15:06:40 to 15:07:40 UTC");
        let days = span(second(1_750_000_000), second(1_750_086_400));
        assert_eq!(days, "2025-06-15 15:06:40 to 2025-06-16 15:06:40 UTC");
    }
}
