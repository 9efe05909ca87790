//! Definitions: whose formulas the methods follow. A name such as `psi` means the same idea everywhere, and its own number in each.
//!
//! This file knows the lists of methods; no formula, column or config.

use super::{Limit, METHODS, Method, Sides, evidently, jensen_shannon, nannyml, wasserstein};

/// Whose numbers are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Definition {
    /// Ours: bins that one outlier cannot blind, and verdicts that know how many rows there are.
    #[default]
    Robust,
    /// Those of Evidently 0.7.
    Evidently,
    /// Those of NannyML 0.13.
    Nannyml,
}

impl Definition {
    pub const ALL: [Definition; 3] = [Definition::Robust, Definition::Evidently, Definition::Nannyml];

    /// As configs and the command line write it.
    pub fn name(self) -> &'static str {
        match self {
            Definition::Robust => "robust",
            Definition::Evidently => "evidently",
            Definition::Nannyml => "nannyml",
        }
    }

    /// Its methods, in the order in which help texts list them.
    pub fn methods(self) -> &'static [&'static Method] {
        match self {
            Definition::Robust => METHODS,
            Definition::Evidently => evidently::METHODS,
            Definition::Nannyml => nannyml::METHODS,
        }
    }

    pub fn method(self, name: &str) -> Option<&'static Method> {
        self.methods().iter().copied().find(|method| method.name == name)
    }

    /// The tests of numerical and of categorical columns where nobody asked for others.
    pub fn defaults(self) -> [&'static Method; 2] {
        match self {
            Definition::Robust => [&wasserstein::METHOD, &jensen_shannon::METHOD],
            Definition::Evidently => [&evidently::DEFAULT; 2],
            Definition::Nannyml => [&nannyml::DEFAULT; 2],
        }
    }
}

/// The test that is made of these sides, and its limit: what was planned, but for [`evidently::DEFAULT`], which decides
/// when it sees them. A planned limit holds where it is of the kind that the decided test has.
pub fn decided(method: &'static Method, limit: Limit, sides: &Sides) -> (&'static Method, Limit) {
    if !std::ptr::eq(method, &evidently::DEFAULT) {
        return (method, limit);
    }
    let chosen = evidently::choose(sides);
    let same = std::mem::discriminant(&limit) == std::mem::discriminant(&chosen.limit);
    (chosen, if same { limit } else { chosen.limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_defaults_test_what_they_are_for() {
        for definition in Definition::ALL {
            for (i, method) in definition.methods().iter().enumerate() {
                assert!(definition.methods()[..i].iter().all(|other| other.name != method.name), "{}", method.name);
                assert_eq!(definition.method(method.name).map(|found| found.about), Some(method.about));
                assert!(method.has_p_value || !matches!(method.limit, Limit::Alpha(_)), "{}", method.name);
            }
            let [numerical, categorical] = definition.defaults();
            assert!(numerical.numerical && categorical.categorical);
        }
    }
}
