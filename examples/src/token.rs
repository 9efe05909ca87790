//! Signed tokens of users (JWT, HS256), and signed ids of requests.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::serve::Problem;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's name.
    pub sub: String,
    /// What the user may do.
    pub roles: Vec<String>,
    /// Seconds since 1970 at which the token was made, and from which on it is worth nothing.
    pub iat: u64,
    pub exp: u64,
}

/// Makes and checks tokens and ids; both services have the same secret.
#[derive(Clone)]
pub struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    ids: hmac::Key,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    pub fn new(secret: &str) -> Keys {
        Keys {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            ids: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        }
    }

    /// A token, good from `now` (seconds since 1970) for `seconds`.
    pub fn issue(&self, user: &str, roles: &[String], now: u64, seconds: u64) -> String {
        let claims = Claims { sub: user.to_string(), roles: roles.to_vec(), iat: now, exp: now + seconds };
        // Fails only for claims that are no JSON, and for keys of another algorithm.
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).expect("claims are JSON")
    }

    /// The claims of a request's bearer token. 401: there is none, or it is forged, broken or expired.
    pub fn verify(&self, headers: &HeaderMap) -> Result<Claims, Problem> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Err(Problem::unauthorized(
                "send `Authorization: Bearer TOKEN`; POST /token of the auth service gives one",
            ));
        };
        // The algorithm is ours to say, not the token's: `none` and all others are refused.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation).map(|token| token.claims).map_err(|error| {
            Problem::unauthorized(match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => "the token has expired; log in again",
                _ => "the token is not one of ours; log in again",
            })
        })
    }

    /// [`Keys::verify`], and 403 where the user may not do what `role` stands for.
    pub fn allow(&self, headers: &HeaderMap, role: &str) -> Result<Claims, Problem> {
        let claims = self.verify(headers)?;
        if claims.roles.iter().any(|has| has == role) {
            return Ok(claims);
        }
        Err(Problem::new(StatusCode::FORBIDDEN, format!("the user `{}` has no role `{role}`", claims.sub)))
    }

    /// A new request's id: 16 hexadecimal digits by chance and 16 that only the secret's owner can add. So feedback
    /// for a request that never was is told apart without remembering requests.
    pub fn request_id(&self) -> String {
        let mut random = [0; 8];
        // The system's generator fails only where there is none; ids then repeat, which the sidecar counts.
        let _ = SystemRandom::new().fill(&mut random);
        let random = hex(&random);
        format!("{random}{}", self.seal(&random))
    }

    /// Whether an id is one that [`Keys::request_id`] gave.
    pub fn is_request_id(&self, id: &str) -> bool {
        id.len() == 32 && id.is_ascii() && self.seal(&id[..16]) == id[16..]
    }

    fn seal(&self, random: &str) -> String {
        hex(&hmac::sign(&self.ids, random.as_bytes()).as_ref()[..8])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
