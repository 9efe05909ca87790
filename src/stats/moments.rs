//! Count, mean, spread and range of finite values; merges by addition (Chan, Golub, LeVeque 1979).

/// Of no values: count 0, minimum +inf, maximum -inf.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    pub count: u64,
    pub mean: f64,
    /// Sum of squared distances from the mean.
    pub m2: f64,
    pub min: f64,
    pub max: f64,
}

impl Default for Moments {
    fn default() -> Moments {
        Moments { count: 0, mean: 0.0, m2: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// Finite values only.
    pub fn add(&mut self, values: &[f64]) {
        for chunk in values.chunks(1024) {
            let mut sums = [0.0; 4];
            let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
            for (i, &value) in chunk.iter().enumerate() {
                sums[i & 3] += value;
                min = if value < min { value } else { min };
                max = if value > max { value } else { max };
            }
            let mean = sums.iter().sum::<f64>() / chunk.len() as f64;
            let mut squares = [0.0; 4];
            for (i, &value) in chunk.iter().enumerate() {
                squares[i & 3] += (value - mean) * (value - mean);
            }
            self.merge(&Moments { count: chunk.len() as u64, mean, m2: squares.iter().sum(), min, max });
        }
    }

    pub fn merge(&mut self, other: &Moments) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let delta = other.mean - self.mean;
        self.mean += delta * (m / (n + m));
        self.m2 += other.m2 + delta * delta * (n * m / (n + m));
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Population standard deviation (ddof 0); 0 without values.
    pub fn std(&self) -> f64 {
        if self.count == 0 { 0.0 } else { (self.m2 / self.count as f64).max(0.0).sqrt() }
    }
}
