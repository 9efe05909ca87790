//! The distributions of the Kolmogorov-Smirnov statistics, for finite numbers of rows.
//!
//! [`two_sample_exact`] counts lattice paths: every order in which n and m rows can interleave is equally
//! likely, a path steps right or up for each row, and D is how far it strays from the diagonal (Hodges 1958).
//! [`one_sample`] is P(D_n >= d), split into regions as Simard and L'Ecuyer (2011) advise: the exact matrix
//! form of Durbin (1968) after Marsaglia, Tsang and Wang (2003), the series of Pelz and Good (1976), and
//! twice the one-sided tail of Birnbaum and Tingey (1951), which is Miller's approximation.
//!
//! This file knows no samples and no columns.

use std::f64::consts::PI;

/// The probability, under no difference, that two samples of `n` and `m` rows have
/// `|i/n - j/m| >= h / lcm(n, m)` somewhere. Relative error about 1e-12; below about 1e-300 it is 0.
/// Time: up to n times m steps in a band about the diagonal, a step below a nanosecond; n + m steps for n = m.
pub(super) fn two_sample_exact(n: u64, m: u64, h: u64) -> f64 {
    if h == 0 {
        return 1.0;
    }
    let (n, m) = (n.max(m), n.min(m));
    let d = h as f64 / (n as f64 * (m / gcd(n, m)) as f64);
    // P <= 2.17 exp(-2 d^2 nm/(n+m)): Wei and Dudley (2012).
    if 2.0 * d * d * (n as f64 * m as f64) / ((n + m) as f64) > 745.0 {
        return 0.0;
    }
    if n == m { outside_square(n, h) } else { outside_band(n, m, h) }
}

/// Paths from (0, 0) to (n, n) that reach one of the lines |i - j| = h, by reflection:
/// 2 (C(2n, n-h) - C(2n, n-2h) + ...) / C(2n, n), nested so that every factor is at most 1.
fn outside_square(n: u64, h: u64) -> f64 {
    let mut outside = 0.0;
    for k in (0..=n / h).rev() {
        let ratio: f64 = (0..h).map(|j| (n as f64 - (k * h + j) as f64) / (n + k * h + j + 1) as f64).product();
        outside = ratio * (1.0 - outside);
    }
    (2.0 * outside).min(1.0)
}

/// The same for n > m, one anti-diagonal after another. For each point inside the band it holds the share of
/// the paths to it that have left the band; outside that share is 1. Only sums of positive terms, so a tiny
/// probability is as precise as a large one.
fn outside_band(n: u64, m: u64, h: u64) -> f64 {
    let g = gcd(n, m);
    // In 128 bits: the product of a step count and a row count, for any caller.
    let (right, up, h) = (i128::from(m / g), i128::from(n / g), i128::from(h));
    let index: Vec<f64> = (0..=m).map(|j| j as f64).collect();
    // One cell of padding below j = 0 and above j = m.
    let mut last = vec![1.0; m as usize + 3];
    let mut next = last.clone();
    last[1] = 0.0;
    for s in 1..=n + m {
        let across = i128::from(s) * right;
        // Both are at most m, and at least 0 where the band is not empty.
        let low = ((across - h).div_euclid(right + up) + 1).max(i128::from(s) - i128::from(n)).max(0) as usize;
        let high = ((across + h - 1).div_euclid(right + up)).min(i128::from(m)).min(i128::from(s)) as usize;
        if low > high {
            return 1.0;
        }
        let step = 1.0 / s as f64;
        let points = next[low + 1..high + 2].iter_mut().zip(&last[low + 1..high + 2]);
        let columns = last[low..=high].iter().zip(&index[low..=high]);
        for ((point, from_left), (from_below, j)) in points.zip(columns) {
            *point = ((s as f64 - j) * from_left + j * from_below) * step;
        }
        next[low] = 1.0;
        next[high + 2] = 1.0;
        std::mem::swap(&mut last, &mut next);
    }
    last[m as usize + 1].min(1.0)
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// P(D_n >= d) for the one-sample statistic of `n` >= 1 rows: `scipy.stats.kstwo.sf(d, n)`. Relative error below 1e-6
/// down to 1e-300; above a million rows the tail is closer to the exact one than SciPy's shortcut.
pub(super) fn one_sample(d: f64, n: u64) -> f64 {
    let rows = n as f64;
    let t = rows * d;
    let spread = t * d;
    if t <= 0.5 {
        1.0
    } else if d >= 1.0 || (n > 140 && spread >= 370.0) {
        0.0
    } else if t <= 1.0 {
        // Ruben and Gambino (1982): n! (2d - 1/n)^n.
        1.0 - (1..=n).map(|i| i as f64 / rows * (2.0 * t - 1.0)).product::<f64>()
    } else if d >= 0.5 || spread >= if n <= 140 { 4.0 } else { 2.2 } {
        (2.0 * one_sided(d, n)).min(1.0)
    } else if n > 140 && spread < 0.05 {
        // The distribution function is below 1e-9 here.
        1.0
    } else if n <= 140 || (n <= 100_000 && t * d.sqrt() <= 1.4) {
        (1.0 - matrix_cdf(d, n)).clamp(0.0, 1.0)
    } else {
        (1.0 - series_cdf(d, n)).clamp(0.0, 1.0)
    }
}

/// P(D_n <= d) by the power of a matrix: exact, for small n d.
fn matrix_cdf(d: f64, n: u64) -> f64 {
    let t = n as f64 * d;
    let k = t.ceil() as usize;
    let h = k as f64 - t;
    let size = 2 * k - 1;
    let mut factorial = 1.0;
    let mut edge = vec![0.0; size];
    let mut inverse_factorials = vec![0.0; size];
    for (j, (edge, inverse)) in edge.iter_mut().zip(&mut inverse_factorials).enumerate() {
        *inverse = factorial;
        factorial /= (j + 1) as f64;
        *edge = (1.0 - h.powi(j as i32 + 1)) * factorial;
    }
    edge[size - 1] = (1.0 - 2.0 * h.powi(size as i32) + (2.0 * h - 1.0).max(0.0).powi(size as i32)) * factorial;

    let mut base = Scaled::zero(size);
    for row in 0..size {
        for column in 1..size.min(row + 2) {
            base.cells[row * size + column] = inverse_factorials[row + 1 - column];
        }
        base.cells[row * size] = edge[row];
    }
    for column in 0..size {
        base.cells[(size - 1) * size + column] = edge[size - 1 - column];
    }
    let power = base.power(n);
    // n! / n^n, in the same scaled form.
    let mut value = power.cells[(k - 1) * size + k - 1];
    let mut exponent = power.exponent;
    for i in 1..=n {
        value *= i as f64 / n as f64;
        if value < 1e-140 {
            value *= 1e140;
            exponent -= 140;
        }
    }
    value * 10f64.powi(exponent)
}

/// A square matrix times a power of ten.
struct Scaled {
    size: usize,
    cells: Vec<f64>,
    exponent: i32,
}

impl Scaled {
    fn zero(size: usize) -> Self {
        Scaled { size, cells: vec![0.0; size * size], exponent: 0 }
    }

    fn times(&self, other: &Scaled) -> Scaled {
        let size = self.size;
        let mut product = Scaled::zero(size);
        for (row, cells) in product.cells.chunks_exact_mut(size).enumerate() {
            for (inner, factors) in other.cells.chunks_exact(size).enumerate() {
                let weight = self.cells[row * size + inner];
                for (cell, factor) in cells.iter_mut().zip(factors) {
                    *cell += weight * factor;
                }
            }
        }
        product.exponent = self.exponent + other.exponent;
        if product.cells[size / 2 * size + size / 2] > 1e140 {
            product.cells.iter_mut().for_each(|cell| *cell *= 1e-140);
            product.exponent += 140;
        }
        product
    }

    fn power(self, exponent: u64) -> Scaled {
        if exponent == 1 {
            return self;
        }
        let half = self.times(&self);
        if exponent.is_multiple_of(2) { half.power(exponent / 2) } else { half.power(exponent / 2).times(&self) }
    }
}

/// P(D_n <= d) by the series K0 + K1/sqrt(n) + K2/n + K3/n^1.5, each a theta series that converges fast for
/// z = d sqrt(n) below 1.5.
fn series_cdf(d: f64, n: u64) -> f64 {
    let root = (n as f64).sqrt();
    let z = d * root;
    let z2 = z * z;
    let (z3, z4, z6) = (z2 * z, z2 * z2, z2 * z2 * z2);
    let mut sums = [0.0; 4];
    for k in 0..8 {
        let half = (k as f64 + 0.5) * PI;
        let a = half * half;
        let weight = (-a / (2.0 * z2)).exp();
        sums[0] += weight;
        sums[1] += weight * (a - z2);
        sums[2] += weight * (6.0 * z6 + 2.0 * z4 + a * (2.0 * z4 - 5.0 * z2) + a * a * (1.0 - 2.0 * z2));
        sums[3] += weight
            * (a * a * a * (5.0 - 30.0 * z2) + a * a * (212.0 * z4 - 60.0 * z2) + a * (135.0 * z4 - 96.0 * z6)
                - 30.0 * z6
                - 90.0 * z4 * z4);
        let whole = (k + 1) as f64 * PI;
        let b = whole * whole;
        let weight = b * (-b / (2.0 * z2)).exp();
        sums[2] -= weight * 2.0 * z4;
        sums[3] += weight * (3.0 * z2 - b) * 30.0 * z4;
    }
    let scale = (2.0 * PI).sqrt();
    scale
        * (sums[0] / z
            + (sums[1] / (6.0 * z4) + (sums[2] / (72.0 * z3 * z4) + sums[3] / (6480.0 * z4 * z6) / root) / root) / root)
}

/// P(D_n^+ >= d), the one-sided tail: the sum over v of d/p times the binomial probability of v among n with
/// p = d + v/n. For many rows the sum is taken as an integral over evenly spaced v: the terms are smooth and
/// vanish with all their derivatives at both ends.
fn one_sided(d: f64, n: u64) -> f64 {
    const TERMS_MAX: u64 = 4096;
    let rows = n as f64;
    if n <= TERMS_MAX {
        let first = (rows * (-d).ln_1p()).exp();
        let last = (rows * (1.0 - d)).floor() as u64;
        return first + (1..=last.min(n - 1)).map(|v| one_sided_term(v as f64, d, rows)).sum::<f64>();
    }
    let step = rows / TERMS_MAX as f64;
    let terms = (0..TERMS_MAX).map(|k| (k as f64 + 0.5) * step).filter(|v| *v >= 16.0 && rows - v >= 16.0);
    step * terms.map(|v| one_sided_term(v, d, rows)).sum::<f64>()
}

/// d/p C(n, v) p^v (1-p)^(n-v) for 0 < v < n, in Loader's (2000) saddle-point form, which has no large logarithms.
fn one_sided_term(v: f64, d: f64, n: f64) -> f64 {
    let shift = n * d;
    let rest = n - v;
    if shift >= rest {
        return 0.0;
    }
    let exponent = v * (shift / v).ln_1p() + rest * (-shift / rest).ln_1p() + stirling_error(n)
        - stirling_error(v)
        - stirling_error(rest);
    shift / (shift + v) * (n / (2.0 * PI * v * rest)).sqrt() * exponent.exp()
}

/// ln(v!) minus Stirling's formula. Below 16 for whole v only.
fn stirling_error(v: f64) -> f64 {
    if v < 16.0 {
        let factorial: f64 = (1..=v as u64).map(|i| i as f64).product();
        return factorial.ln() - (v + 0.5) * v.ln() + v - 0.5 * (2.0 * PI).ln();
    }
    let w = 1.0 / (v * v);
    (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w / 1188.0)))) / v
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(ours: f64, theirs: f64, relative: f64, what: &str) {
        assert!((ours - theirs).abs() <= relative * theirs.abs(), "{what}: {ours:e}, not {theirs:e}");
    }

    #[test]
    fn the_one_sample_tail_is_that_of_scipy_in_every_region() {
        // scipy.stats.kstwo.sf(d, n), SciPy 1.17.1
        for (d, n, expected) in [
            (0.5, 1, 1.0),
            (0.75, 1, 0.5),
            (0.3, 2, 0.98),
            (0.6, 3, 0.14400000000000004),
            (0.274, 20, 0.08100099656430149),
            (0.9, 20, 2.0006866455078037e-20),
            (0.2, 100, 0.0005551927327988775),
            (0.35, 100, 1.865228719089831e-11),
            (0.05, 141, 0.854845693009663),
            (0.012, 1000, 0.9984464668620097),
            (0.03, 1000, 0.3226902143914636),
            (0.0136, 10_000, 0.04903580807632146),
            (0.06, 10_000, 9.773912518478991e-32),
            (0.002, 667_000, 0.009617324999194024),
        ] {
            assert_close(one_sample(d, n), expected, 1e-7, &format!("d {d}, n {n}"));
        }
    }

    #[test]
    fn the_one_sample_tail_falls_without_a_step_between_its_regions() {
        for n in [2, 3, 20, 140, 141, 1000, 4096, 4097, 30_000] {
            let mut last = 1.0;
            for i in 0..=500 {
                let d = 3.0 * f64::from(i) / 500.0 / (n as f64).sqrt();
                let p = one_sample(d, n);
                assert!((0.0..=1.0).contains(&p) && p <= last * (1.0 + 1e-6), "n {n}, d {d}: {p} after {last}");
                assert!(last - p < 0.02, "n {n}, d {d}: {p} after {last}");
                last = p;
            }
        }
    }

    /// Every order of n and m rows, by walking all paths.
    fn two_sample_by_enumeration(n: u64, m: u64, h: u64) -> f64 {
        fn paths(at: (u64, u64), end: (u64, u64), h: u64, outside: bool) -> (f64, f64) {
            let (n, m) = end;
            if at.0 > n || at.1 > m {
                return (0.0, 0.0);
            }
            let outside = outside || (at.0 * m).abs_diff(at.1 * n) >= h * gcd(n, m);
            if at == end {
                return (f64::from(u8::from(outside)), 1.0);
            }
            let (right, up) = (paths((at.0 + 1, at.1), end, h, outside), paths((at.0, at.1 + 1), end, h, outside));
            (right.0 + up.0, right.1 + up.1)
        }
        let (outside, all) = paths((0, 0), (n, m), h, false);
        outside / all
    }

    #[test]
    fn the_two_sample_tail_is_the_share_of_all_paths() {
        for (n, m) in [(1, 1), (1, 5), (4, 4), (6, 3), (6, 4), (7, 5), (9, 8)] {
            for h in 0..=n * m / gcd(n, m) {
                let ours = two_sample_exact(n, m, h);
                assert_close(ours, two_sample_by_enumeration(n, m, h), 1e-13, &format!("{n} and {m} rows, {h}"));
                assert_eq!(ours, two_sample_exact(m, n, h), "{n} and {m} rows, {h}");
            }
        }
    }

    #[test]
    fn both_ways_to_count_paths_agree_for_equal_sizes() {
        for (n, h) in [(50, 1), (50, 9), (50, 30), (50, 50), (1000, 60), (1000, 200)] {
            assert_close(outside_band(n, n, h), outside_square(n, h), 1e-11, &format!("{n} rows, {h}"));
        }
    }

    #[test]
    fn the_exact_tail_meets_the_asymptotic_one() {
        for z in [0.5, 0.8, 1.2, 2.0] {
            let h = (z * (9999.0f64 * 10_000.0 * 19_999.0).sqrt()) as u64;
            let exact = two_sample_exact(10_000, 9999, h);
            let asymptotic = one_sample(h as f64 / (9999.0 * 10_000.0), 5000);
            assert!((exact - asymptotic).abs() < 0.02 * exact, "z {z}: {exact} and {asymptotic}");
        }
    }
}
