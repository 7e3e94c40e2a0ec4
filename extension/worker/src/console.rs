//! An address that opens the AWS console, whoever wants it.

use std::rc::Rc;

use rolecall_core::Problem;
use rolecall_core::message::host::Program;
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;
use rolecall_core::{console, freshness};
use secrecy::SecretString;

use crate::settings::find;
use crate::sign_in::SignIn;

/// An address that opens the console signed in as the role; a secret for 15 minutes.
pub(crate) async fn console_url(
    sign_in: &Rc<SignIn>,
    key: &RoleKey,
    service: Option<&str>,
    presence: Presence,
    asked_by: Option<Program>,
) -> Result<SecretString, Problem> {
    let credentials = sign_in.credentials(key, presence, freshness::CONSOLE, asked_by).await?;
    let (role, provider) = find(&*sign_in.settings.known().await?, key)?;
    let platform = sign_in.platform(&provider, Some(key.clone()), None);
    Ok(console::login_url(&platform, &provider, &role, &credentials, service).await?)
}
