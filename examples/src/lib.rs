//! What the three example programs share, each piece small enough to be copied into a service of your own.
//!
//! | room | what it is |
//! |---|---|
//! | [`parquet_log`] | the writer: a service's rows as Parquet files, without ever blocking a request |
//! | [`rows`] | the rows that the prediction service logs |
//! | [`model`] | a text classifier of one JSON file |
//! | [`registry`] | the model in force: picked up when another is promoted, without a restart |
//! | [`token`] | signed tokens of users, signed ids of requests |
//! | [`serve`] | one way to listen, to answer, to refuse, to stop, and to be asked for health |
//! | [`catalogue`] | a made-up shop in three languages, whose seasons change |

pub mod catalogue;
pub mod model;
pub mod parquet_log;
pub mod registry;
pub mod rows;
pub mod serve;
pub mod token;
