//! An address that opens the AWS console, whoever wants it.

use std::rc::Rc;

use rolecall_core::aws::Region;
use rolecall_core::console::{Console, ConsolePage};
use rolecall_core::message::host::Program;
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;
use rolecall_core::{Problem, freshness};
use secrecy::SecretString;

use crate::settings::find;
use crate::sign_in::SignIn;

/// Which page of the console, where it is not the role's own.
#[derive(Default)]
pub(crate) struct Page {
    /// The page; the console's home page without one.
    pub(crate) page: Option<ConsolePage>,
    /// The region.
    pub(crate) region: Option<Region>,
}

/// An address that opens the console signed in as the role; a secret for 15 minutes.
pub(crate) async fn console_url(
    sign_in: &Rc<SignIn>,
    key: &RoleKey,
    page: Page,
    presence: Presence,
    asked_by: Option<Program>,
) -> Result<SecretString, Problem> {
    let (mut role, provider) = find(&*sign_in.settings.known().await?, key)?;
    role.region = page.region.or(role.region);
    // What cannot be opened needs no sign-in.
    let console = Console::of(&provider, &role, page.page.as_ref())?;
    let credentials = sign_in.credentials(key, presence, freshness::CONSOLE, asked_by).await?;
    let platform = sign_in.platform(&provider, Some(key.clone()), None);
    Ok(console.login_url(&platform, &credentials).await?)
}
