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
    /// Of finite values. Where one is not finite, the mean is not either.
    pub fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.chunks(1024).for_each(|chunk| moments.merge(&Moments::of_chunk(chunk)));
        moments
    }

    /// Four sums at a time.
    fn of_chunk(chunk: &[f64]) -> Moments {
        let (whole, rest) = chunk.as_chunks::<4>();
        let (mut sums, mut min, mut max) = ([0.0; 4], [f64::INFINITY; 4], [f64::NEG_INFINITY; 4]);
        let mut add = |at: usize, value: f64| {
            sums[at] += value;
            min[at] = if value < min[at] { value } else { min[at] };
            max[at] = if value > max[at] { value } else { max[at] };
        };
        whole.iter().for_each(|four| (0..4).for_each(|at| add(at, four[at])));
        rest.iter().enumerate().for_each(|(at, value)| add(at, *value));
        let mean = sums.iter().sum::<f64>() / chunk.len() as f64;
        let mut squares = [0.0; 4];
        let mut add = |at: usize, value: f64| squares[at] += (value - mean) * (value - mean);
        whole.iter().for_each(|four| (0..4).for_each(|at| add(at, four[at])));
        rest.iter().enumerate().for_each(|(at, value)| add(at, *value));
        let (min, max) =
            (min.into_iter().fold(f64::INFINITY, f64::min), max.into_iter().fold(f64::NEG_INFINITY, f64::max));
        Moments { count: chunk.len() as u64, mean, m2: squares.iter().sum(), min, max }
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
