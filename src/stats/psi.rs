//! stub
use super::{Method, noise::Noise};
pub const METHOD: Method = Method { name: "psi", numerical: true, categorical: true, threshold: 0.2, about: "", test: |_| None, noise: Noise::Closed(|_| 0.0) };
