//! Session cookies. Cookies ignore ports, so a cookie's name contains its service's port: two sandboxes, or the
//! provider and the console of one, do not overwrite each other's cookies.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of the cookie `name`.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Sets `name` as a session cookie; the service checks its expiration. `value` is base64url.
pub(crate) fn set(name: &str, value: &str) -> HeaderValue {
    header_value(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax"))
}

/// Removes `name`.
pub(crate) fn clear(name: &str) -> HeaderValue {
    header_value(&format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
