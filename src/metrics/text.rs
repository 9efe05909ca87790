//! The text format 0.0.4, with numbers as Prometheus itself prints them.

use std::fmt::Write;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

/// Families in the order given.
pub fn encode(families: &[MetricFamily]) -> String {
    let mut out = String::with_capacity(families.iter().map(|family| 200 + 120 * family.get_metric().len()).sum());
    for family in families {
        let name = family.name();
        out.push_str("# HELP ");
        out.push_str(name);
        out.push(' ');
        escape(&mut out, family.help(), false);
        let kind = match family.get_field_type() {
            MetricType::COUNTER => "counter",
            MetricType::HISTOGRAM => "histogram",
            _ => "gauge",
        };
        let _ = write!(out, "\n# TYPE {name} {kind}\n");
        family.get_metric().iter().for_each(|metric| sample(&mut out, family, metric));
    }
    out
}

fn sample(out: &mut String, family: &MetricFamily, metric: &Metric) {
    let (name, labels) = (family.name(), metric.get_label());
    match family.get_field_type() {
        MetricType::HISTOGRAM => {
            let histogram = metric.get_histogram();
            for bucket in histogram.get_bucket() {
                let bound = number(bucket.upper_bound());
                line(out, name, "_bucket", labels, Some(&bound), bucket.cumulative_count() as f64);
            }
            line(out, name, "_bucket", labels, Some("+Inf"), histogram.get_sample_count() as f64);
            line(out, name, "_sum", labels, None, histogram.get_sample_sum());
            line(out, name, "_count", labels, None, histogram.get_sample_count() as f64);
        }
        MetricType::COUNTER => line(out, name, "", labels, None, metric.get_counter().get_value()),
        _ => line(out, name, "", labels, None, metric.get_gauge().get_value()),
    }
}

fn line(out: &mut String, name: &str, suffix: &str, labels: &[LabelPair], bound: Option<&str>, value: f64) {
    out.push_str(name);
    out.push_str(suffix);
    let pairs = labels.iter().map(|pair| (pair.name(), pair.value())).chain(bound.map(|bound| ("le", bound)));
    let mut open = '{';
    for (name, value) in pairs {
        out.push(open);
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
        open = ',';
    }
    if open == ',' {
        out.push('}');
    }
    out.push(' ');
    out.push_str(&number(value));
    out.push('\n');
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

/// As Go's `strconv.FormatFloat(x, 'g', -1, 64)`: the shortest digits that read back the same, with an exponent
/// below 1e-4 and from 1e21 on.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_string();
    }
    let size = value.abs();
    if size == 0.0 || (1e-4..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_print_as_prometheus_prints_them() {
        // strconv.FormatFloat(x, 'g', -1, 64)
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e-300, "1e-300"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e300, "1.25e+300"),
            (123456789.0, "123456789"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
