//! The console's page: the signed-in identity, and the service that was opened.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::SecondsFormat;

use super::cookie_name;
use super::sessions::Session;
use crate::answer::redirect;
use crate::cookies;
use crate::html::{self, escape};
use crate::params::Params;
use crate::world::{SharedWorld, World};

/// The console has one front page.
pub(super) async fn home() -> Response {
    Redirect::to("/console/").into_response()
}

/// `GET /console/…`, and the pages of services such as `GET /s3/home`.
pub(super) async fn console(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let cookie = cookies::read(&headers, &cookie_name(&world)).unwrap_or_default();
    let now = world.clock.now();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let sessions = match host.split_once(".localhost") {
        Some((label, _)) if is_session_label(label) => world.sessions().at(label, now).unwrap_or_default(),
        // AWS's name servers know no other host.
        Some(_) => return not_found(),
        None => world.sessions().of(cookie, now),
    };
    let Some((current, others)) = sessions.split_last() else {
        return sign_in_first(&world, host, &uri);
    };
    let path = uri.path();
    let segment = path[1..].split('/').next().unwrap_or_default();
    if !SERVICES.contains(&segment) {
        return not_found();
    }
    let service = path.strip_prefix("/console/").unwrap_or(&path[1..]).split('/').next().unwrap_or_default();
    let region = params.get("region").unwrap_or_default();
    let main = format!("{}{}", signed_in(&world, current, service, region), side_by_side(others));
    html::page(StatusCode::OK, &format!("{} in {}", current.caller.role, alias(&world, current)), &main)
}

fn signed_in(world: &World, session: &Session, service: &str, region: &str) -> String {
    let caller = &session.caller;
    let alias = alias(world, session);
    let rows: Vec<String> = [
        ("account", "Account", caller.account.as_str()),
        ("account-alias", "Alias", alias.as_str()),
        ("role", "Role", caller.role.as_str()),
        ("session-name", "Session", caller.session_name.as_str()),
        ("arn", "ARN", caller.arn.as_str()),
        ("service", "Service", service),
        ("region", "Region", region),
        ("issuer", "Sent by", session.issuer.as_str()),
        ("expires", "Until", &session.expires.to_rfc3339_opts(SecondsFormat::Secs, true)),
    ]
    .iter()
    .map(|(id, name, value)| format!("<dt>{name}</dt><dd id=\"{id}\">{}</dd>\n", escape(value)))
    .collect();
    let rows = rows.concat();
    format!(
        "<h1>Console (sandbox)</h1>\n\
         <p id=\"signed-in\" role=\"status\">Signed in as <strong>{}</strong> in <strong>{}</strong></p>\n\
         <dl>\n{rows}</dl>\n\
         <p><a id=\"log-out\" href=\"/oauth?Action=logout\">Log out</a></p>",
        escape(&caller.role),
        escape(&alias),
    )
}

fn side_by_side(others: &[Session]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let items: Vec<String> = others
        .iter()
        .map(|session| format!("<li>{}: {}</li>\n", escape(&session.label()), escape(&session.caller.role)))
        .collect();
    format!("<h2>Also signed in</h2>\n<ul id=\"other-sessions\">\n{}</ul>", items.concat())
}

/// AWS sends whoever has no session to its sign-in page, which names where they wanted to go. As logged in many reports, such as
/// saml2aws's issue 1485.
fn sign_in_first(world: &World, host: &str, uri: &Uri) -> Response {
    let parameters = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "arn:aws:signin:::console/sandbox")
        .append_pair("redirect_uri", &format!("http://{host}{uri}"))
        .append_pair("response_type", "code")
        .finish();
    redirect(&format!("{}/oauth?{parameters}", world.urls.console_origin()))
}

/// The sign-in page itself. Nobody can sign in there without the federation endpoint.
pub(super) fn sign_in() -> Response {
    let main = "<h1>Amazon Web Services Sign-In (sandbox)</h1>\n<p id=\"signed-out\" role=\"status\">No one is signed in.</p>";
    html::page(StatusCode::OK, "Sign in", main)
}

fn not_found() -> Response {
    html::error_page(StatusCode::NOT_FOUND, "Console (sandbox)", "This page does not exist.")
}

fn is_session_label(label: &str) -> bool {
    label.split_once('-').is_some_and(|(account, id)| account.len() == 12 && id.len() == 8)
}

fn alias(world: &World, session: &Session) -> String {
    let accounts = world.config().sts.accounts;
    let account = accounts.into_iter().find(|account| account.id == session.caller.account);
    account.map_or_else(|| session.caller.account.clone(), |account| account.alias)
}

/// What the paths of the console's services begin with: those of the service maps of common-fate/granted
/// (`pkg/console/service_map.go`) and of the AWS documentation's own links.
const SERVICES: &[&str] = &[
    "acm",
    "amplify",
    "apigateway",
    "aos",
    "athena",
    "appsync",
    "backup",
    "bedrock",
    "billing",
    "cloud9",
    "cloudformation",
    "cloudfront",
    "cloudmap",
    "cloudshell",
    "cloudtrail",
    "cloudtrailv2",
    "cloudwatch",
    "codesuite",
    "cognito",
    "config",
    "console",
    "cost-management",
    "costmanagement",
    "directconnect",
    "dms",
    "dynamodbv2",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "eks",
    "elasticache",
    "elasticbeanstalk",
    "emr",
    "events",
    "glue",
    "grafana",
    "guardduty",
    "iam",
    "iamv2",
    "kinesis",
    "kms",
    "lambda",
    "mwaa",
    "organizations",
    "ram",
    "rds",
    "redshiftv2",
    "route53",
    "s3",
    "sagemaker",
    "secretsmanager",
    "securityhub",
    "ses",
    "singlesignon",
    "sns",
    "sqs",
    "states",
    "support",
    "systems-manager",
    "trustedadvisor",
    "vpc",
    "vpcconsole",
    "wafv2",
];
