//! The story: what the world does to the model, minute by minute, and the rows that come of it.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Scenario;
use super::rows::{CLASSES, Outcome, Request, WORDS};

const SECOND: i64 = 1_000_000;

/// A seeded source of requests and their outcomes.
#[derive(Debug)]
pub struct Story {
    scenario: Scenario,
    start: i64,
    random: Pcg64Mcg,
    next_id: u64,
}

impl Story {
    /// A story that begins at `start` (microseconds since 1970); the same seed tells the same story.
    pub fn new(scenario: Scenario, start: i64, seed: u64) -> Story {
        Story { scenario, start, random: Pcg64Mcg::seed_from_u64(seed), next_id: 0 }
    }

    pub fn scenario(&self) -> Scenario {
        self.scenario
    }

    pub fn start(&self) -> i64 {
        self.start
    }

    fn second(&self, time: i64) -> i64 {
        (time - self.start).div_euclid(SECOND)
    }

    /// Labels that were due after this have not arrived at `now`.
    pub fn labelled_until(&self, now: i64) -> i64 {
        let silence = self.scenario.silence();
        if silence.contains(&self.second(now)) { self.start + silence.start * SECOND } else { now }
    }

    /// A request at `time`, with the prediction that the model made.
    pub fn request(&mut self, time: i64) -> Request {
        let drift = self.scenario.drift().contains(&self.second(time));
        self.next_id += 1;
        let (truth, prediction, score) = match self.scenario {
            Scenario::Drift => self.classified(drift),
            Scenario::LabelsStop => self.weighed(drift),
        };
        let classes = self.scenario.classes();
        let level = if drift { 3.6 } else { 3.0 } + 0.02 * truth as f64;
        let devices: [f64; 4] = if drift { [0.15, 0.15, 0.60, 0.10] } else { [0.50, 0.35, 0.10, 0.05] };
        let countries: [f64; 6] =
            if drift { [0.20, 0.15, 0.15, 0.15, 0.30, 0.05] } else { [0.40, 0.20, 0.15, 0.12, 0.08, 0.05] };
        let missing = self.chance(if drift { 0.35 } else { 0.03 });
        Request {
            id: self.next_id,
            nonce: self.random.random(),
            time,
            price: ((level + 0.7 * self.normal()).exp() * 100.0).round() / 100.0,
            rating: (!missing)
                .then_some(())
                .map(|()| ((3.9 + 0.7 * self.normal()).clamp(1.0, 5.0) * 10.0).round() / 10.0),
            description_length: (5.0 + 0.6 * self.normal()).exp() as i64,
            shipping_days: 1 + (-self.random.random::<f64>().ln() * if drift { 5.0 } else { 3.0 }) as i64,
            country: ["de", "fr", "it", "es", "pl", "nl"][self.pick(&countries)],
            device: ["mobile", "desktop", "tablet", "tv"][self.pick(&devices)],
            seller: ["marketplace", "own", "partner"][self.pick(&[0.6, 0.3, 0.1])],
            designation: self.words(3),
            description: self.words(12),
            truth: classes[truth],
            prediction: classes[prediction],
            score,
        }
    }

    /// A product: its class, the one that the model gives it, and how sure it is. In a drift it is wrong more often.
    fn classified(&mut self, drift: bool) -> (usize, usize, f64) {
        let truth = self.class();
        let right = self.chance(if drift { 0.65 } else { 0.9 });
        let prediction = if right { truth } else { self.class() };
        let sure: f64 = self.random.random();
        (truth, prediction, if right { 0.7 + 0.3 * sure } else { 0.3 + 0.5 * sure })
    }

    /// An order: the truth is drawn from the score, so the score is right. In a drift it is near one half more often.
    fn weighed(&mut self, drift: bool) -> (usize, usize, f64) {
        let logit = self.normal() * if drift { 1.1 } else { 5.5 };
        let score = 1.0 / (1.0 + (-logit).exp());
        (usize::from(self.chance(score)), usize::from(logit > 0.0), score)
    }

    /// The truth about a request, and when it becomes known: seconds to half a minute later.
    pub fn outcome(&mut self, request: &Request) -> Outcome {
        let delay = (-self.random.random::<f64>().ln() * 6.0).clamp(1.0, 30.0);
        Outcome {
            id: request.id,
            nonce: request.nonce,
            time: request.time + (delay * 1e6) as i64,
            label: request.truth,
        }
    }

    fn chance(&mut self, p: f64) -> bool {
        self.random.random::<f64>() < p
    }

    /// The first classes are the common ones.
    fn class(&mut self) -> usize {
        let rank: f64 = self.random.random();
        (rank * rank * CLASSES.len() as f64) as usize
    }

    fn pick(&mut self, shares: &[f64]) -> usize {
        let mut left: f64 = self.random.random();
        shares
            .iter()
            .position(|share| {
                left -= share;
                left < 0.0
            })
            .unwrap_or(shares.len() - 1)
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.random.random::<f64>()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.random.random::<f64>()).cos()
    }

    fn words(&mut self, count: usize) -> String {
        let words: Vec<&str> =
            (0..count).map(|_| WORDS[(self.random.random::<f64>() * WORDS.len() as f64) as usize]).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuracy_and_price(story: &mut Story, from: i64) -> (f64, f64, f64) {
        let rows: Vec<Request> = (0..4000).map(|i| story.request((from + i / 1000) * SECOND)).collect();
        let share =
            |good: &dyn Fn(&Request) -> bool| rows.iter().filter(|row| good(row)).count() as f64 / rows.len() as f64;
        let mut prices: Vec<f64> = rows.iter().map(|row| row.price).collect();
        prices.sort_by(f64::total_cmp);
        (share(&|row| row.prediction == row.truth), prices[2000], share(&|row| row.rating.is_none()))
    }

    #[test]
    fn accuracy_and_prices_move_and_recover() {
        let mut story = Story::new(Scenario::Drift, 0, 1);
        let (calm, drift, after) = (
            accuracy_and_price(&mut story, 10),
            accuracy_and_price(&mut story, 100),
            accuracy_and_price(&mut story, 200),
        );
        assert!(calm.0 > 0.88 && drift.0 < 0.72 && after.0 > 0.88, "{calm:?} {drift:?} {after:?}");
        assert!(drift.1 > 1.5 * calm.1 && (after.1 / calm.1 - 1.0).abs() < 0.1);
        assert!(calm.2 < 0.05 && drift.2 > 0.3 && after.2 < 0.05);
    }
}
