//! Invalid ID tokens: each is refused with its own code, and none reaches AWS.

use anyhow::Result;
use rolecall_sandbox::{CallKind, IdTokenFault};
use rolecall_tests::{Kind, Scene};
use serde_json::json;

use crate::{DEVELOPER, nothing_was_written, popup_with_roles};

crate::stories![an_invalid_id_token_is_refused_with_its_code_and_never_reaches_aws,];

async fn an_invalid_id_token_is_refused_with_its_code_and_never_reaches_aws(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    let forged = |fault| scene.sandbox.change(|config| config.provider.id_token_fault = fault);

    forged(Some(IdTokenFault::ForeignKey));
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("id-token-signature-invalid").await?;

    // From here on, Alice's session at the provider responds without a window.
    let duplicate = |claim: &str| IdTokenFault::DuplicateClaim(claim.to_owned());
    let missing = |claim: &str| IdTokenFault::MissingClaim(claim.to_owned());
    for (fault, code) in [
        (IdTokenFault::BrokenSignature, "id-token-signature-invalid"),
        (IdTokenFault::AlgorithmNone, "id-token-algorithm-refused"),
        (IdTokenFault::HmacWithPublicKey, "id-token-algorithm-refused"),
        (IdTokenFault::UnknownKid, "id-token-key-unknown"),
        (IdTokenFault::WrongIssuer, "id-token-issuer-mismatch"),
        (IdTokenFault::WrongAudience, "id-token-audience-mismatch"),
        (IdTokenFault::WrongNonce, "id-token-nonce-mismatch"),
        (IdTokenFault::Expired, "id-token-expired"),
        (IdTokenFault::NotYetValid, "id-token-not-yet-valid"),
        (duplicate("sub"), "id-token-claim-duplicate"),
        (duplicate("aud"), "id-token-claim-duplicate"),
        (missing("sub"), "id-token-claim-missing"),
        (missing("exp"), "id-token-claim-missing"),
        (IdTokenFault::Claim("iat".to_owned(), json!("yesterday")), "id-token-claim-invalid"),
    ] {
        popup.dismiss().await?;
        forged(Some(fault.clone()));
        popup.press("Sign in").await?;
        popup.alert(code).await.map_err(|error| error.context(format!("{fault:?}")))?;
    }
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 0);
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);
    nothing_was_written(&scene)?;

    forged(None);
    popup.press("Sign in").await?;
    popup.status("Signed in to example-dev / developer.").await?;
    Ok(())
}
