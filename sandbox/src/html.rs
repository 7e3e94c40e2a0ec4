//! The common HTML of all pages: light or dark as the browser prefers, no script.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// Escapes text for HTML text and double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// A whole page. `title` is plain text, `main` is HTML.
pub(crate) fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let title = escape(title);
    let document = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{main}\n</main>\n<footer>Rolecall sandbox: nothing here is real.</footer>\n</body>\n</html>\n"
    );
    (status, HEADERS, Html(document)).into_response()
}

/// An error page.
pub(crate) fn error_page(status: StatusCode, title: &str, text: &str) -> Response {
    let main = format!("<h1>{}</h1>\n<p id=\"error\" role=\"alert\">{}</p>", escape(title), escape(text));
    page(status, title, &main)
}

// No `form-action` here: Chromium applies it to the redirect after the form as well, and the redirect back to the
// extension would be blocked.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

const STYLE: &str = include_str!("style.css");
