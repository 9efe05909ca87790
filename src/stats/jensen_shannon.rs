//! stub
use super::{Method, noise::Noise};
pub const METHOD: Method = Method { name: "jensen_shannon", numerical: true, categorical: true, threshold: 0.1, about: "", test: |_| None, noise: Noise::Closed(|_| 0.0) };
