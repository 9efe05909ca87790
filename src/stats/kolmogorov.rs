//! Kolmogorov's distributions: p-values of the one-sample distance D(n) and of two samples.
//!
//! Two samples exactly: paths that leave a band around the diagonal, counted as probabilities (Hodges 1958; Viehmann 2021).
//! One sample: Marsaglia, Tsang and Wang (2003) where D is small, Pelz and Good (1976) in the middle, twice the one-sided
//! tail (Smirnov; Miller 1956) where D is large, chosen as SciPy's `kstwo.sf` does (Simard and L'Ecuyer 2011).

use std::f64::consts::PI;

/// Above so many rows the sum of the one-sided tail is replaced by its expansion.
const SUM_ROWS_MAX: f64 = 100_000.0;

/// Exponents beyond this are p-values below 1e-26: the bound itself serves.
const EXPONENT_MAX: f64 = 60.0;

/// P(D >= d) of samples of n and m rows, where `apart` = d n m.
pub(super) fn two_sample_exact(n: u64, m: u64, apart: u64) -> f64 {
    let common = gcd(n, m);
    // In units of 1 / lcm(n, m), in which all distances are whole.
    let steps = apart / common;
    if steps == 0 {
        return 1.0;
    }
    let d = apart as f64 / (n as f64 * m as f64);
    let exponent = 2.0 * d * d * (n as f64 * m as f64 / (n + m) as f64);
    if exponent > EXPONENT_MAX {
        return 2.0 * (-exponent).exp();
    }
    if n == m {
        outside_square(n, steps)
    } else {
        outside_band(n.max(m), n.min(m), common, steps)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Equal sizes: the reflection principle, 2 (C(2n, n-h) - C(2n, n-2h) + ...) / C(2n, n) as nested products.
fn outside_square(n: u64, h: u64) -> f64 {
    let mut p = 0.0;
    for k in (0..=n / h).rev() {
        let mut ratio = 1.0;
        for j in 0..h {
            let top = n as f64 - (k * h + j) as f64;
            ratio *= top / ((n + k * h + j + 1) as f64);
        }
        p = ratio * (1.0 - p);
    }
    2.0 * p
}

/// The share of lattice paths from (0, 0) to (m, n), m >= n, that touch the band's edge: column by column, the
/// probability that a path to (i, j) has left already.
fn outside_band(m: u64, n: u64, common: u64, h: u64) -> f64 {
    let (mg, ng) = ((m / common) as i64, (n / common) as i64);
    let (m, n, h) = (m as i64, n as i64, h as i64);
    let ceil = |a: i64, b: i64| (a + b - 1).div_euclid(b);
    let (mut low, mut high) = (0i64, ceil(h, mg).min(n + 1));
    let mut left = vec![1.0f64; (2 * high + 2).min(n + 1).max(1) as usize + 2];
    left[..high as usize].fill(0.0);
    for i in 1..=m {
        let (low_before, len_before) = (low, high - low);
        low = ((ng * i - h).div_euclid(mg) + 1).clamp(0, n);
        high = ceil(ng * i + h, mg).min(n + 1);
        if high <= low {
            return 1.0;
        }
        let mut value = if low == 0 { 0.0 } else { 1.0 };
        let len = (high - low) as usize;
        if left.len() < len.max(len + (low - low_before) as usize) + 1 {
            left.resize(len + (low - low_before) as usize + 1, 1.0);
        }
        for at in 0..len {
            let j = low + at as i64;
            value = (left[at + (low - low_before) as usize] * i as f64 + value * j as f64)
                / (i + j) as f64;
            left[at] = value;
        }
        if len_before > len as i64 {
            left[len..len_before as usize].fill(1.0);
        }
    }
    left[(high - low - 1) as usize]
}

/// P(D(n) >= x), two-sided, for a whole number of rows n >= 1: `scipy.stats.kstwo.sf(x, n)`.
pub(super) fn two_sided(n: f64, x: f64) -> f64 {
    let t = n * x;
    let square = t * x;
    if x >= 1.0 {
        return 0.0;
    }
    if t <= 0.5 || square <= 0.034 && n > 140.0 {
        return 1.0;
    }
    if t <= 1.0 {
        // Ruben and Gambino: n! ((2t - 1) / n)^n
        return 1.0
            - (1..=n as u64)
                .map(|i| i as f64 / n * (2.0 * t - 1.0))
                .product::<f64>();
    }
    if t >= n - 1.0 {
        return 2.0 * (1.0 - x).powf(n);
    }
    if x >= 0.5 {
        return 2.0 * one_sided(n, x);
    }
    let tail = if n <= 140.0 {
        square > 4.0
    } else {
        square >= 2.2
    };
    if tail {
        return 2.0 * one_sided(n, x);
    }
    if n <= 140.0 || (n <= 100_000.0 && n * x.powf(1.5) <= 1.4) {
        1.0 - durbin(n as usize, x)
    } else {
        1.0 - pelz_good(n, x)
    }
}

/// P(D+(n) >= x), Smirnov's sum of Birnbaum and Tingey (1951), or its expansion for very many rows.
fn one_sided(n: f64, x: f64) -> f64 {
    let z = x * n.sqrt();
    if 2.0 * z * z > 700.0 {
        return 0.0;
    }
    if n > SUM_ROWS_MAX {
        let (z2, r) = (z * z, n.sqrt());
        let first = -2.0 * z / (3.0 * r);
        let second = 2.0 * z2 / (3.0 * n) * (1.0 - 2.0 * z2 / 3.0);
        let third = 4.0 * z / (9.0 * n * r) * (0.2 - 19.0 * z2 / 15.0 + 2.0 * z2 * z2 / 3.0);
        return (-2.0 * z2).exp() * (1.0 + first + second + third);
    }
    let last = (n * (1.0 - x)).floor() as u64;
    let (mut sum, mut choose) = (0.0, 0.0f64);
    for j in 0..=last {
        let j = j as f64;
        let (a, b) = (x + j / n, 1.0 - x - j / n);
        let term = choose
            + (j - 1.0) * a.ln()
            + if b > 0.0 {
                (n - j) * (-x - j / n).ln_1p()
            } else {
                f64::NEG_INFINITY
            };
        sum += if b > 0.0 {
            term.exp()
        } else if j == n {
            (choose + (j - 1.0) * a.ln()).exp()
        } else {
            0.0
        };
        choose += ((n - j) / (j + 1.0)).ln();
    }
    x * sum
}

/// P(D(n) < x) by the matrix power of Marsaglia, Tsang and Wang.
fn durbin(n: usize, x: f64) -> f64 {
    let k = (n as f64 * x).ceil() as usize;
    let size = 2 * k - 1;
    let h = k as f64 - n as f64 * x;
    let mut matrix = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..size.min(i + 2) {
            matrix[i * size + j] = 1.0;
        }
    }
    for i in 0..size {
        matrix[i * size] -= h.powi(i as i32 + 1);
        matrix[(size - 1) * size + i] -= h.powi((size - i) as i32);
    }
    matrix[(size - 1) * size] += if 2.0 * h > 1.0 {
        (2.0 * h - 1.0).powi(size as i32)
    } else {
        0.0
    };
    for i in 0..size {
        for j in 0..size.min(i + 1) {
            for g in 1..=(i + 1 - j) {
                matrix[i * size + j] /= g as f64;
            }
        }
    }
    let (power, mut exponent) = matrix_power(&matrix, size, n);
    let mut p = power[(k - 1) * size + k - 1];
    for i in 1..=n {
        p *= i as f64 / n as f64;
        if p < 1e-140 {
            p *= 1e140;
            exponent -= 140;
        }
    }
    p * 10f64.powi(exponent)
}

/// A matrix to a power, times 10 to the exponent returned.
fn matrix_power(matrix: &[f64], size: usize, power: usize) -> (Vec<f64>, i32) {
    if power == 1 {
        return (matrix.to_vec(), 0);
    }
    let (half, exponent) = matrix_power(matrix, size, power / 2);
    let mut result = multiply(&half, &half, size);
    let mut exponent = 2 * exponent;
    if power % 2 == 1 {
        result = multiply(matrix, &result, size);
    }
    let middle = size / 2;
    if result[middle * size + middle] > 1e140 {
        result.iter_mut().for_each(|value| *value *= 1e-140);
        exponent += 140;
    }
    (result, exponent)
}

fn multiply(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut out = vec![0.0; size * size];
    for i in 0..size {
        for (k, &factor) in a[i * size..(i + 1) * size]
            .iter()
            .enumerate()
            .filter(|(_, factor)| **factor != 0.0)
        {
            for (value, other) in out[i * size..(i + 1) * size]
                .iter_mut()
                .zip(&b[k * size..(k + 1) * size])
            {
                *value += factor * other;
            }
        }
    }
    out
}

/// P(D(n) < x) by the expansion of Pelz and Good up to the order n^(-3/2).
fn pelz_good(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    let (z2, z4, z6) = (z * z, z.powi(4), z.powi(6));
    let (mut k0, mut k1, mut k2, mut k3, mut whole2, mut whole3) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for k in (0..=((16.0 * z / PI) as u32 + 2)).rev() {
        let half = PI * PI * (f64::from(k) + 0.5).powi(2);
        let weight = 2.0 * (-half / (2.0 * z2)).exp();
        k0 += weight / 2.0;
        k1 += weight * (half - z2);
        k2 += weight
            * (6.0 * z6 + 2.0 * z4 + half * (2.0 * z4 - 5.0 * z2) + half * half * (1.0 - 2.0 * z2));
        k3 += weight
            * (half.powi(3) * (5.0 - 30.0 * z2)
                + half * half * (-60.0 * z2 + 212.0 * z4)
                + half * (135.0 * z4 - 96.0 * z6)
                - (30.0 * z6 + 90.0 * z4 * z4));
        let full = PI * PI * f64::from(k).powi(2);
        let weight = 2.0 * (-full / (2.0 * z2)).exp();
        whole2 += weight * full;
        whole3 += weight * (3.0 * full * z2 - full * full);
    }
    let root = (PI / 2.0).sqrt();
    let p = (2.0 * PI).sqrt() / z * k0
        + root / (6.0 * z4) * k1 / n.sqrt()
        + (root / (72.0 * z.powi(7)) * k2 - root / (36.0 * z.powi(3)) * whole2) / n
        + (root / (6480.0 * z.powi(10)) * k3 + root / (108.0 * z6) * whole3) / (n * n.sqrt());
    p.clamp(0.0, 1.0)
}
