//! AWS Security Token Service: `AssumeRoleWithWebIdentity`, and `AssumeRole` for roles that are assumed through another one
//! (AWS STS API reference, version 2011-06-15).
//!
//! The first call is unsigned: the ID token is the proof. It is always a POST form, because a token in a query string
//! ends up in logs. S3-compatible services speak the same call with small differences, which are read here too.

mod document;
mod duration;
mod error;
mod request;
mod response;
mod retry;
mod session_name;
mod signature;

pub use document::Document;
pub use duration::durations;
pub(crate) use error::holds_groups;
pub use error::{Context, StsError};
pub(crate) use request::chained_role_request;
pub use request::{assume_role_request, endpoint};
pub use response::read_credentials;
pub use retry::delays;
pub use session_name::session_name;
