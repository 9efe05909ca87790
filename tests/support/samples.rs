//! The samples of tests/golden/stats.py, made again by the same arithmetic: + - * / and sqrt alone, so that both agree to the bit.

use serde::Deserialize;

#[derive(Clone, Deserialize)]
pub struct Sample {
    pub kind: String,
    pub seed: u64,
    pub rows: u64,
    pub a: f64,
    pub b: f64,
}

impl Sample {
    pub fn values(&self) -> Vec<f64> {
        let mut uniforms = Uniforms(self.seed);
        (0..self.rows).map(|index| self.value(index, &mut uniforms)).collect()
    }

    fn value(&self, index: u64, uniforms: &mut Uniforms) -> f64 {
        let (a, b) = (self.a, self.b);
        let first = uniforms.next();
        if !["bell", "zeros", "outlier", "infinite", "missing"].contains(&self.kind.as_str()) {
            return match self.kind.as_str() {
                "constant" => a,
                "uniform" => a + b * first,
                "steps" => a + (first * b).floor(),
                "flags" if first < 0.4 => f64::NAN,
                "flags" => a + (first * b).floor(),
                "lost" => f64::NAN,
                "skewed" => a + (first * first * b).floor(),
                "heavy" => a + b / (1.0 - first).sqrt(),
                "cauchy_like" => a + b / (1.0 - first),
                kind => panic!("no sample of kind {kind}"),
            };
        }
        let total = (1..12).fold(0.0 + first, |total, _| total + uniforms.next());
        let bell = a + b * (total - 6.0);
        match self.kind.as_str() {
            "zeros" if first < 0.4 => 0.0,
            "zeros" => bell * bell,
            "outlier" if index == 0 => 1e6,
            "infinite" if index % 50 == 1 => f64::INFINITY,
            "infinite" if index % 50 == 2 => f64::NEG_INFINITY,
            "missing" if first < 0.1 => f64::NAN,
            _ => bell,
        }
    }
}

/// Splitmix64.
pub struct Uniforms(pub u64);

impl Uniforms {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        (x >> 11) as f64 / 9_007_199_254_740_992.0
    }
}
