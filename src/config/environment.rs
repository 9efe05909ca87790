//! Variables of the environment in a config's values: `${NAME}` and `${NAME:-default}`.
//!
//! This file asks nobody for the environment; it is an argument.

/// Replaces `${NAME}` and `${NAME:-default}` by the environment's values, once; an empty value counts as unset
/// where there is a default. `Err`: what to do, for people.
pub fn expand(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, after)) = after.split_once('}') else {
            return Err("close `${` with `}`".to_string());
        };
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(word) {
            return Err(format!("`{name}` is no name of an environment variable"));
        }
        let value = environment(name).filter(|value| default.is_none() || !value.is_empty());
        let Some(value) = value.as_deref().or(default) else {
            return Err(format!(
                "the environment variable `{name}` is not set; set it, or give a default: `${{{name}:-...}}`"
            ));
        };
        expanded += before;
        expanded += value;
        rest = after;
    }
    Ok(expanded + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "PORT" => Some("9877".to_string()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${PORT}".to_string()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced_once() {
        let expanded = |text| expand(text, &environment);
        assert_eq!(expanded("0.0.0.0:${PORT}").unwrap(), "0.0.0.0:9877");
        assert_eq!(expanded("${PORT}${PORT}").unwrap(), "98779877");
        assert_eq!(expanded("${HOST:-localhost}:${PORT:-1}").unwrap(), "localhost:9877");
        assert_eq!(expanded("${EMPTY}x").unwrap(), "x");
        assert_eq!(expanded("${EMPTY:-x}").unwrap(), "x");
        assert_eq!(expanded("${NONE:-}").unwrap(), "");
        assert_eq!(expanded("${NESTED}").unwrap(), "${PORT}");
        assert_eq!(expanded("$PORT costs 5$ {}").unwrap(), "$PORT costs 5$ {}");
    }

    #[test]
    fn a_variable_that_cannot_be_replaced_is_named() {
        let refused = |text| expand(text, &environment).unwrap_err();
        assert!(refused("${NOWHERE}").contains("`NOWHERE` is not set"));
        assert!(refused("${PORT").contains("close"));
        assert!(refused("${}").contains("no name"));
        assert!(refused("${A B}").contains("`A B` is no name"));
    }
}
