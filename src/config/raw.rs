//! What the config file says.
