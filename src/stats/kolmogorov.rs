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
        if exponent % 2 == 0 { half.power(exponent / 2) } else { half.power(exponent / 2).times(&self) }
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
