//! The drift tests that `compare` is asked for, and the list of them that `--help` shows. It knows no clap.

use crate::stats::definition::Definition;
use crate::stats::{METHODS, Method};

/// Which tests `compare` makes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Methods {
    #[default]
    Default,
    Named(Vec<&'static Method>),
}

impl Methods {
    /// A list such as `ks,psi`, `default`, or `all`.
    pub fn read(definition: Definition, text: &str) -> Result<Methods, String> {
        let all = definition.methods();
        match text {
            "default" => return Ok(Methods::Default),
            "all" => return Ok(Methods::Named(all.to_vec())),
            _ => {}
        }
        let mut named: Vec<&'static Method> = Vec::new();
        for name in text.split(',').map(str::trim) {
            let known = all.iter().map(|method| method.name);
            let method = definition.method(name).ok_or_else(|| {
                let near = crate::config::nearest(name, known.clone());
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let known = known.collect::<Vec<_>>().join(", ");
                format!("`{name}` is none of {known}, default, all{hint}")
            })?;
            if named.contains(&method) {
                return Err(format!("`{name}` is there twice"));
            }
            named.push(method);
        }
        Ok(Methods::Named(named))
    }

    /// As `config::compare` takes them.
    pub fn named(&self) -> Option<&[&'static Method]> {
        match self {
            Methods::Default => None,
            Methods::Named(methods) => Some(methods),
        }
    }
}

pub fn definition(text: &str) -> Result<Definition, String> {
    let all = Definition::ALL;
    all.into_iter().find(|definition| definition.name() == text).ok_or_else(|| {
        let names = all.map(Definition::name);
        let near = crate::config::nearest(text, names);
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("`{text}` is none of {}{hint}", names.join(", "))
    })
}

/// All of them, with the columns that they are for.
pub fn listed() -> String {
    let width = METHODS.iter().map(|method| method.name.len()).max().unwrap_or(0);
    let listed = METHODS.iter().map(|method| {
        let columns = [
            ("numerical", method.numerical),
            ("categorical", method.categorical),
            ("text", method.text),
            ("embedding", method.embedding),
            ("several", method.several),
        ];
        let columns: Vec<&str> = columns.into_iter().filter(|(_, fits)| *fits).map(|(name, _)| name).collect();
        format!("\n  {:width$}  {:24}  {}", method.name, columns.join(", "), method.about)
    });
    let others = [Definition::Evidently, Definition::Nannyml].map(|definition| {
        let names: Vec<&str> = definition.methods().iter().map(|method| method.name).collect();
        format!("\nMethods of --definition {}: {}", definition.name(), names.join(", "))
    });
    format!("Methods:{}\n{}", listed.collect::<String>(), others.concat())
}
