//! Who gets in, who does not, and what they are told.

mod support;

use std::time::SystemTime;

use examples::token::Keys;
use serde_json::json;
use support::{Program, SECRET, promtool, silent};

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_login_gives_a_token_that_says_who_one_is() {
    let auth = Program::auth();
    let (status, answer) = auth.login("shop", "shop123");
    assert_eq!((status, &answer["token_type"], &answer["expires_in"]), (200, &json!("bearer"), &json!(900)));
    let (status, me) = auth.send("GET", "/me", answer["access_token"].as_str(), "", "");
    let me: serde_json::Value = serde_json::from_str(&me).unwrap();
    assert_eq!((status, &me["sub"], &me["roles"]), (200, &json!("shop"), &json!(["predict", "feedback"])));
    assert_eq!(me["exp"].as_u64().unwrap() - me["iat"].as_u64().unwrap(), 900);
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_told_the_same() {
    let auth = Program::auth();
    let refused = (401, json!({"detail": "the name or the password is wrong"}));
    assert_eq!(auth.login("shop", "shop124"), refused);
    assert_eq!(auth.login("shopper", "shop123"), refused);
    assert_eq!(auth.login("shop", ""), refused);
    let series = "auth_service_requests_total{endpoint=\"/token\",method=\"POST\",status_code=\"401\"}";
    assert_eq!(auth.metric(series), Some(3.0));
    assert_eq!(
        auth.metric("auth_service_request_latency_seconds_count{endpoint=\"/token\",method=\"POST\"}"),
        Some(3.0)
    );
}

#[test]
fn a_token_that_is_expired_forged_or_unsigned_is_worth_nothing() {
    let auth = Program::auth();
    let roles = ["admin".to_string()];
    let me = |token: &str| auth.send("GET", "/me", Some(token), "", "");
    let good = Keys::new(SECRET).issue("ada", &roles, now(), 60);
    assert_eq!(me(&good).0, 200);
    let expired = Keys::new(SECRET).issue("ada", &roles, now() - 61, 60);
    let (status, said) = me(&expired);
    assert!(status == 401 && said.contains("expired"), "{said}");
    let forged = Keys::new("another secret that has more than 32 bytes").issue("ada", &roles, now(), 60);
    // {"alg":"none","typ":"JWT"} and the claims of the good one.
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", good.split('.').nth(1).unwrap());
    for token in [forged.as_str(), &unsigned, "x", &good[..good.len() - 2]] {
        let (status, said) = me(token);
        assert!(status == 401 && said.contains("log in again"), "{token}: {status} {said}");
    }
    assert_eq!(auth.get("/me").0, 401);
}

#[test]
fn what_is_no_login_is_refused_by_its_kind() {
    let auth = Program::auth();
    let form = "application/x-www-form-urlencoded";
    let large = format!("username=shop&password={}", "x".repeat(70_000));
    assert_eq!(auth.send("POST", "/token", None, form, &large).0, 413);
    assert_eq!(auth.send("POST", "/token", None, "application/json", "{}").0, 415);
    assert_eq!(auth.send("POST", "/token", None, form, "username=shop").0, 422);
    assert_eq!(auth.send("POST", "/token", None, form, "grant_type=code&username=a&password=b").0, 400);
    assert_eq!(auth.get("/token").0, 405);
    assert_eq!(auth.get("/nowhere").0, 404);
    // Paths and methods of strangers share a label.
    assert_eq!(auth.send("BREW", "/pot", None, "", "").0, 404);
    let strange = "auth_service_requests_total{endpoint=\"other\",method=\"other\",status_code=\"404\"}";
    assert_eq!(auth.metric(strange), Some(1.0));
}

#[test]
fn a_storm_of_logins_is_told_to_come_back() {
    let auth = Program::auth();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..80).map(|_| scope.spawn(|| auth.login("shop", "shop123").0)).collect();
        logins.into_iter().map(|login| login.join().unwrap()).collect()
    });
    let of = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(of(200) + of(503), 80, "{statuses:?}");
    assert!(of(200) >= 32, "those that may wait get in: {statuses:?}");
    assert_eq!(auth.login("shop", "shop123").0, 200);
}

#[test]
fn its_page_is_as_prometheus_wants_it() {
    let auth = Program::auth();
    auth.login("shop", "shop123");
    assert_eq!(promtool(&auth.get("/metrics").1), "");
    assert_eq!(auth.get("/health").0, 200);
}

#[test]
fn it_ends_in_order_whoever_holds_a_connection() {
    let auth = Program::auth();
    let _silent = silent(&auth);
    assert!(auth.terminate().success());
}

#[test]
fn what_it_cannot_use_is_told_before_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.json");
    let refused = |content: &str, secret: &str| {
        std::fs::write(&users, content).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_auth_service"))
            .args(["--listen", "127.0.0.1:0", "--users", users.to_str().unwrap()])
            .env("JWT_SECRET", secret)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let user = r#"{"username": "a", "roles": [], "password_hash": "plain"}"#;
    assert!(refused("[]", "short").contains("32 or more are needed"));
    assert!(refused("[", SECRET).contains("users.json: EOF while parsing"));
    assert!(refused(&format!("[{user}]"), SECRET).contains("make one with `auth_service hash-password`"));
    let users = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/users.json")).unwrap();
    let user = users.lines().nth(1).unwrap().replace("\"shop\"", "\"a\"");
    assert!(
        refused(&format!("[{user} {}]", user.trim_end_matches(',')), SECRET).contains("the user `a` is there twice")
    );
}
